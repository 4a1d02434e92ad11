"""What the paper leaves open in its methods: the choices that make a reading of it."""

GRID: dict[str, list] = {
    "axis": ["profile", "feature", "profile_then_feature"],  # of the normalization
    "similarity": ["minus squared distance", "minus distance"],  # of affinity propagation, as its next two
    "preference": ["median", "minimum"],
    "damping": [0.5, 0.9],
    "pca": ["2", "3", "4", "5", "10", "0.95"],  # components, or share of the variance
    "output": ["L", "M"],  # Output = Input x S: S with S'S = M, or S = M
    "bounds": ["pairs", "all"],  # ITML's percentiles: of the rows in the pairs (metric-learn from 0.5 on), of all rows
    "ratio": ["mean absolute difference", "variance", "sum of squares"],  # intra-class ratio of the CSIFs
}
# what the extrapolation is calibrated on: its error hardly depends on the other choices
CALIBRATION = GRID | {
    "preference": ["median"],
    "damping": [0.5],
    "pca": ["3", "0.95"],
    "output": ["L"],
    "bounds": ["pairs"],
}
SETTING = ["similarity", "preference", "damping"]


def own_reading(config: dict) -> dict:
    """The reading that a config makes, as a grid of one choice each."""
    preference = config["communities"]["preference"]
    return {
        "axis": [config["normalization"]["axis"]],
        "similarity": ["minus squared distance"],
        "preference": ["median" if preference is None else preference],
        "damping": [config["communities"]["damping"]],
        "pca": [str(config["representations"].get("pca", {}).get("components", 0.95))],
        "output": ["L"],
        "bounds": ["pairs"],
        "ratio": ["mean absolute difference"],
    }
