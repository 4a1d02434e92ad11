"""Arrays between jobs: what was written is read, and a damaged file is named with the cure."""

import numpy as np
import pytest

from moamap.core.arrays import load_arrays
from moamap.core.errors import InputError


def written(path):
    np.savez_compressed(path, numbers=np.arange(500), runs=np.random.default_rng(0).random((40, 30)))
    return path


def test_what_was_written_is_read(tmp_path):
    arrays = load_arrays(str(written(tmp_path / "raw_0.npz")), "numbers")
    assert set(arrays) == {"numbers", "runs"}
    np.testing.assert_array_equal(arrays["numbers"], np.arange(500))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_named_in_one_line(tmp_path, share):
    path = written(tmp_path / "raw_0.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"raw_0\.npz: is damaged, .*; delete this file and run the same") as caught:
        load_arrays(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", [0.1, 0.4, 0.6])
def test_overwritten_bytes_are_noticed(tmp_path, place):
    path = written(tmp_path / "raw_0.npz")
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    content[at : at + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"raw_0\.npz"):
        load_arrays(str(path))


def test_another_file_under_that_name(tmp_path):
    for content in (b"representation,labels\nraw,1\n", b"\x00" * 100):
        (tmp_path / "raw_0.npz").write_bytes(content)
        with pytest.raises(InputError, match="delete this file"):
            load_arrays(str(tmp_path / "raw_0.npz"))
    np.savez(tmp_path / "raw_0.npz", other=np.zeros(2))
    with pytest.raises(InputError, match="has no numbers or runs; delete this file"):
        load_arrays(str(tmp_path / "raw_0.npz"), "numbers", "runs")
    np.save(tmp_path / "raw_0.npy", np.zeros(2))
    with pytest.raises(InputError, match="delete this file"):
        load_arrays(str(tmp_path / "raw_0.npy"))


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_arrays(str(tmp_path / "raw_0.npz"))
