"""Turns a table of any format into one normalized profile per drug."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {"annotate": "annotation", "inspect": "inspection", "read_profiles": "formats", "wells_to_drugs": "wells"},
)
