"""Arrays that one job of a run writes and another reads."""

import zipfile
import zlib

import numpy as np

from moamap.core.errors import InputError

CURE = "delete this file and run the same command again"


def load_arrays(path: str, *names: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz file of this run; raises InputError where it is damaged or one of `names` is missing."""
    try:
        with np.load(path) as stored:
            arrays = dict(stored)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run the same command again") from error
    except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: is damaged, as by an interrupted run; {CURE}") from error
    missing = [name for name in names if name not in arrays]
    if missing:
        raise InputError(f"{path}: has no {' or '.join(missing)}; {CURE}")
    return arrays
