"""DIP communities, the MoAs enriched in them, and the features that set them apart."""
