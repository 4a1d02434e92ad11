"""moamap: mechanism-of-action maps from cell images. Its two engines: `ITML`, `affinity_propagation`."""

from importlib import import_module

__version__ = "0.1.0"

ENGINES = {"ITML": "moamap.representations.itml", "affinity_propagation": "moamap.communities.affinity"}


def __getattr__(name: str):
    """Import an engine where it is asked for: some environments have no numba, and need none."""
    if name not in ENGINES:
        raise AttributeError(f"module 'moamap' has no attribute {name!r}")
    return getattr(import_module(ENGINES[name]), name)
