"""The figures: each function takes tables and returns a matplotlib figure."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {
        "figure_1": "paper",
        "figure_2": "workflow",
        "figure_3": "paper",
        "figure_4": "paper",
        "figure_s1": "paper",
        "null_figure": "validation",
        "retrieval_figure": "validation",
        "stability_figure": "validation",
    },
)
