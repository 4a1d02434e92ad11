import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    """As in the workflow; on small matrices more threads take many times as long."""
    with threadpool_limits(1):
        yield
