"""What the paper leaves open, tried out: for each reading of its methods, the numbers that it published.

A reading is one choice of every open point of `grid.GRID`. Readings share most of their work: what a normalization axis
and a representation give is measured once (`measure`) and put together afterwards (`extrapolation.readings`). A data
set of another size than the paper's is measured on random subsets, too.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd

from moamap.communities.clusters import chance_of_sharing, communities_of
from moamap.communities.features import mean_absolute_difference
from moamap.core.errors import InputError
from moamap.core.grid import GRID, SETTING
from moamap.core.numerics import median, squared_euclidean
from moamap.profiles.normalize import apply_normalization, learn_normalization
from moamap.representations.paper import itml
from moamap.validation.extrapolation import KEY, calibration_errors, extrapolate
from moamap.validation.nulls import enrichment_p, permutation

SUBSETS = [(0.3, 8), (0.45, 8), (0.65, 6)]  # share of the drugs, number of random subsets
SEEDS = 10  # of ITML's pairs, on the whole data set
PERMUTATIONS = 20
PREFERENCES = {"median": lambda s: float(median(s)), "minimum": lambda s: float(s.min())}
CSIF = 0.01  # the paper's threshold of the intra-class ratio
MIN_DRUGS, ALPHA = 5, 0.01  # the paper's, of enrichment
MOAS_TOGETHER = ("HDAC inhibitor", "protein synthesis inhibitor")  # both enriched in community 18 of the paper


def measure(
    features: pd.DataFrame,
    moas: pd.DataFrame,
    *,
    axis: str,
    grid: dict[str, list] | None = None,
    seeds: Sequence[int] = (0,),
    rows: Sequence[int] | np.ndarray | None = None,
    pair: Sequence[int] = (),
    moa_pair: Sequence[str] = (),
) -> pd.DataFrame:
    """Every number of every reading with this normalization axis, on some drugs of a data set.

    Parameters
    ----------
    features : (n_drugs, n_features), raw scale
    moas : (n_drugs, n_moas) booleans
    grid : the choices, as `GRID`
    seeds : of ITML's pairs
    rows : of the drugs to take; default all
    pair, moa_pair : two rows, two MoAs (columns of `moas`): do they share a community of ITML?

    Returns
    -------
    frame: n, the columns of `KEY`, seed, value. Parts are range (no setting), raw, pca (variants: components), itml
    (variants: output, bounds; of CSIFs also the ratio), and itml null: ITML learned from permuted labels, the numbers
    counted by the same ones. `null enriched` of raw and PCA is the mean over permuted labels, `any two together` the
    chance of two drugs to share a community. A clustering without any exemplar has no values.
    """
    grid = GRID if grid is None else grid
    rows = np.arange(len(features)) if rows is None else np.asarray(rows)
    x, moas = features.iloc[rows], moas.iloc[rows]
    x = x.loc[:, x.max() > x.min()]  # a small subset can leave a feature constant
    x = apply_normalization(x, learn_normalization(x, rows, axis=axis))
    found = [("", "", "", "range", "", 0, "minimum", -x.min()), ("", "", "", "range", "", 0, "maximum", x.max())]
    tested = moas.to_numpy()[:, moas.sum() >= MIN_DRUGS]
    sharing = _sharing(moas, rows, pair, moa_pair)
    dispersions = {ratio: DISPERSIONS[ratio](x) for ratio in grid["ratio"]}
    for part, variant, seed, squared in _representations(x, moas.to_numpy(), grid, seeds):
        labels = tested[permutation(len(x), seed, 1)] if part == "itml null" else tested
        for setting in product(*(grid[name] for name in SETTING)):
            numbers = _communities(squared, *setting)
            if numbers is None:
                continue
            values = _counts(numbers, labels)
            if part == "itml":
                values |= _csif_counts(x, numbers, dispersions)
                values |= {name: function(numbers) for name, function in sharing.items()}
            if part in ("raw", "pca"):
                permuted = [tested[permutation(len(x), 0, b)] for b in range(1, PERMUTATIONS + 1)]
                values["null enriched"] = np.mean([_n_enriched(numbers, labels) for labels in permuted])
            found += [(*setting, part, variant, seed, quantity, value) for quantity, value in values.items()]
    table = pd.DataFrame(found, columns=[*SETTING, "part", "variant", "seed", "quantity", "value"])
    table.insert(0, "axis", axis)
    table.insert(0, "n", len(rows))
    return table.astype({"damping": str, "value": float})


def measure_subsets(
    features: pd.DataFrame,
    moas: pd.DataFrame,
    *,
    seed: int = 0,
    subsets: Sequence[tuple[float, int]] | None = None,
    **options,
) -> pd.DataFrame:
    """`measure` on random subsets of the drugs, each with its own seed of ITML's pairs; see `SUBSETS`."""
    rng = np.random.default_rng(seed)
    tables: list[pd.DataFrame] = []
    for share, number in SUBSETS if subsets is None else subsets:
        for _ in range(number):
            rows = np.sort(rng.choice(len(features), round(share * len(features)), replace=False))
            tables.append(measure(features, moas, rows=rows, seeds=[len(tables)], **options))
    return pd.concat(tables, ignore_index=True)


def _representations(x, moas, grid, seeds) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """Yield part, variant, seed and the squared distances of every representation of the grid."""
    base = squared_euclidean(x)
    yield "raw", "", 0, base
    scores, explained = _principal_scores(x)
    for components in grid["pca"]:
        share = float(components)
        kept = int(share) if share >= 1 else int(np.searchsorted(explained, share) + 1)
        yield "pca", components, 0, squared_euclidean(scores[:, :kept])
    all_rows = tuple(np.percentile(np.sqrt(base), (5, 95)).clip(1e-9))
    for bounds, seed in product(grid["bounds"], seeds):
        learned = itml(x, moas, seed=seed, bounds=all_rows if bounds == "all" else "euclidean")
        for output in grid["output"]:
            if output == "L":
                squared = learned.squared_distances(x, base)
            else:
                squared = squared_euclidean(learned.transform(x) @ learned.components)
            yield "itml", f"{output}, {bounds}", seed, squared
    for seed in seeds:
        learned = itml(x, moas[permutation(len(x), seed, 1)], seed=seed)
        yield "itml null", "L, pairs", seed, learned.squared_distances(x, base)


def _principal_scores(x):
    """Scores of all principal components, and the share of the variance that the first ones explain."""
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return u * s, np.cumsum(s**2) / np.sum(s**2)


def _communities(squared, similarity, preference, damping):
    s = -squared if similarity == "minus squared distance" else -np.sqrt(squared)
    try:
        chosen = PREFERENCES[preference](s) if preference in PREFERENCES else preference
        return communities_of(s, preference=chosen, damping=float(damping)).numbers
    except InputError:  # no exemplar
        return None


def _counts(numbers, tested):
    sizes = np.bincount(numbers)[1:]
    counts = {"communities": len(sizes), "singletons": (sizes == 1).sum(), "enriched": _n_enriched(numbers, tested)}
    return counts | {"any two together": chance_of_sharing(numbers)}


def _n_enriched(numbers, tested):
    return (enrichment_p(numbers, tested)[0] < ALPHA).any(axis=0).sum() if tested.shape[1] else 0


def _csif_counts(x, numbers, dispersions):
    """Features that are CSIFs of two communities, and of three or more, for each definition of the ratio."""
    members = [np.flatnonzero(numbers == c) for c in range(1, numbers.max() + 1)]
    members = [rows for rows in members if len(rows) > 1]
    counts = {}
    for ratio, overall in dispersions.items():
        ratios = np.array([DISPERSIONS[ratio](x[rows]) / overall for rows in members])
        per_feature = (ratios < CSIF).sum(axis=0)
        counts[f"csif_of_two, {ratio}"] = (per_feature == 2).sum()
        counts[f"csif_of_three, {ratio}"] = (per_feature >= 3).sum()
    return counts


DISPERSIONS = {  # of every column, within a community over that of all drugs: the intra-class ratio
    "mean absolute difference": mean_absolute_difference,
    "variance": lambda x: x.var(axis=0),
    "sum of squares": lambda x: x.var(axis=0) * len(x),
}


def _sharing(moas, rows, pair, moa_pair):
    """Functions of community numbers that say whether the named drugs, and any drugs of the named MoAs, share one."""
    questions = {}
    if set(pair) <= set(rows) and len(pair) == 2:
        a, b = (int(np.flatnonzero(rows == row)[0]) for row in pair)
        questions["pair together"] = lambda numbers: numbers[a] == numbers[b]
    if set(moa_pair) <= set(moas.columns) and len(moa_pair) == 2:
        first, second = (moas[moa].to_numpy() for moa in moa_pair)
        questions["MoAs together"] = lambda numbers: bool(set(numbers[first]) & set(numbers[second]))
    return questions


def calibration_errors_of_screen(
    features: pd.DataFrame, moas: pd.DataFrame, n_drugs: int, *, grid: dict[str, list], seed: int
) -> pd.DataFrame:
    """Errors of the extrapolation from `n_drugs` random drugs of a whole screen, for every axis of the grid.

    Parameters
    ----------
    features, moas : of a screen of the paper's size
    seed : of the draw of the drugs

    Returns the table of `extrapolation.calibration_errors`; an empty one, where the data set is as large as the screen
    """
    if n_drugs >= len(features):
        return pd.DataFrame(columns=[*KEY, "error"])
    rows = np.sort(np.random.default_rng([seed, 2]).choice(len(features), n_drugs, replace=False))
    some, their = features.iloc[rows].reset_index(drop=True), moas.iloc[rows].reset_index(drop=True)
    tables = []
    for axis in grid["axis"]:
        options = {"axis": axis, "grid": grid}
        truth = measure(features, moas, seeds=[seed], **options)
        known = pd.concat([measure(some, their, seeds=range(3), **options), measure_subsets(some, their, **options)])
        tables.append(calibration_errors(extrapolate(known, len(features)), truth))
    return pd.concat(tables, ignore_index=True)
