"""What every stage shares: errors, the config, names of columns and claims, labels, numerics."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {"InputError": "errors", "membership": "labels", "sharing": "labels", "squared_euclidean": "numerics"},
)
