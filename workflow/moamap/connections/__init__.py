"""DIP connections: the distance and the association of every two drugs, and the t-SNE map."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {"association": "distances", "connections": "blocks", "embedded": "blocks", "tsne_map": "tsne"},
)
