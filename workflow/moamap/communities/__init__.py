"""DIP communities, the MoAs enriched in them, their image features, and new compounds placed on a finished map."""

from moamap.core.lazy import short_imports

__getattr__, __dir__, __all__ = short_imports(
    __name__,
    {
        "affinity_propagation": "affinity",
        "find_communities": "clusters",
        "communities_on_graph": "clusters",
        "enrichment_table": "enrichment",
        "table_1_row": "enrichment",
        "intra_class_ratios": "features",
        "csif_overlap": "features",
        "place": "placing",
        "Reference": "placing",
    },
)
