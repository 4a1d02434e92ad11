"""How far each number exceeds chance: permutation nulls, held-out drugs, cross-fitting, stability."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {"Procedure": "procedure", "average_precision": "retrieval", "permutation": "nulls", "rank": "retrieval"},
)
