import pytest

from .study import SMALL, snakemake


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """The whole study of a small simulated screen, on 2 cores: its results folder."""
    directory = tmp_path_factory.mktemp("small")
    run = snakemake(directory=directory, configfile=SMALL)
    assert run.returncode == 0, run.stdout
    return directory / "results/small"
