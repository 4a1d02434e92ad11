"""moamap: mechanism-of-action maps from cell images. Its two engines: `ITML`, `affinity_propagation`.

The stages, in the order in which each may import the ones before it: core, sources, profiles, representations,
connections, communities, validation, report. Each stage's package names what a notebook needs of it.
"""

from moamap.core.lazy import short_imports

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = short_imports(
    __name__, {"ITML": "representations.itml", "affinity_propagation": "communities.affinity"}
)
