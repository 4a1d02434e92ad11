"""What people read: supplementary tables, query, verdict, reproduction, figures."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {"published_table_1": "supplement", "table_1": "supplement", "table_s4": "supplement"},
)
