"""Turns normalized profiles into an embedding or a distance matrix: raw, PCA, ITML and others."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {"ITML": "itml", "Learned": "base", "METHODS": "registry", "learn": "registry"},
)
