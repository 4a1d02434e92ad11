"""From a few hundred drugs to the paper's number of them, and how far each reading then is from its numbers.

Every number is extrapolated by a power law of the number of drugs. How far such an extrapolation is off is measured on
simulated screens of the paper's size, from as many of their drugs as the data set has: the random subsets that the law
is fitted to overlap, and their own scatter says too little. The calibration knows only random samples; real drugs for
which rows could be had are none.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from moamap.core.grid import GRID, SETTING

KEY = ["axis", *SETTING, "part", "variant", "quantity"]
FARTHEST = 5.0  # standard deviations: a number farther off counts as this
LEAST_SD = 0.05  # no published number is held more closely than to 5%: its drugs and MoAs are not exactly these
PARTS = {"range": [], "raw": [], "pca": ["pca"], "itml": ["output", "bounds"]}  # and what their variants choose
TOGETHER = ["pair together", "MoAs together"]
SHARES = [*TOGETHER, "any two together"]  # are not extrapolated
ENDS = ["minimum", "maximum"]  # of the range after normalization; the minimum without its sign

# what is held against the paper: (part, quantity) -> quantity of resources/published.csv
PUBLISHED = {
    ("range", "minimum"): "normalized_minimum",
    ("range", "maximum"): "normalized_maximum",
    ("raw", "communities"): "raw Clustering Number",
    ("raw", "enriched"): "raw Enrichment Number",
    ("pca", "communities"): "pca Clustering Number",
    ("pca", "enriched"): "pca Enrichment Number",
    ("itml", "communities"): "itml Clustering Number",
    ("itml", "enriched"): "itml Enrichment Number",
    ("itml", "csif_of_two"): "csif_of_two",
    ("itml", "csif_of_three"): "csif_of_three_or_more",
}


def extrapolate(measured: pd.DataFrame, n_target: int) -> pd.DataFrame:
    """Each number at `n_target` drugs, by the power law value = a n^b fitted to subsets and the whole.

    Fitted by quasi-likelihood, the variance proportional to the mean (Poisson regression on log n), which takes counts
    of zero; each size has the weight of one mean. What does not grow by a law is kept in bounds: -1 <= b <= 2.

    Parameters
    ----------
    measured : tables of `measure_subsets` and `measure`

    Returns
    -------
    frame: KEY, n (the largest), own (mean over seeds at n), seeds_sd, estimate (at n_target; own, where n is as large;
    none for shares)
    """
    keys = measured.fillna({name: "" for name in KEY}).groupby(KEY, sort=True)
    rows = []
    for key, mine in keys:
        means = mine.groupby("n")["value"].mean()
        n = means.index[-1]
        whole = mine.loc[mine["n"] == n, "value"]
        estimate = whole.mean() if n >= n_target else _power_law(means, n_target)
        estimate = np.nan if key[-1] in SHARES else estimate
        rows.append((*key, n, whole.mean(), whole.std(ddof=1) if len(whole) > 1 else 0.0, estimate))
    return pd.DataFrame(rows, columns=[*KEY, "n", "own", "seeds_sd", "estimate"])


def _power_law(means, n_target, iterations=30):
    """exp(a + b log(n / n_target)) at n = n_target, i.e. exp(a), by iteratively reweighted least squares."""
    y, t = means.to_numpy(float), np.log(means.index.to_numpy(float) / n_target)
    if y.max() <= 0:
        return 0.0
    if len(y) == 1:
        return float(y[0])
    design = np.column_stack([np.ones_like(t), t])
    a, b = np.log(y.mean()) - t.mean(), 1.0
    for _ in range(iterations):
        mu = np.exp(np.clip(a + b * t, -20, 20))
        working = a + b * t + (y - mu) / mu
        weighted = design * mu[:, None]
        a, b = np.linalg.lstsq(weighted.T @ design, weighted.T @ working, rcond=None)[0]
        if not -1 <= b <= 2:
            b = min(max(b, -1.0), 2.0)
            a = np.log(y.sum() / np.exp(b * t).sum())
    return float(np.exp(a))


def on_scale(quantity: ArrayLike, value: ArrayLike) -> np.ndarray:
    """The scale on which numbers are compared: log(1 + count), so that zero counts; log of a range's end."""
    return np.where(np.isin(quantity, ENDS), np.log(np.maximum(value, 1e-9)), np.log1p(value))


def from_scale(quantity: ArrayLike, value: ArrayLike) -> np.ndarray:
    """The inverse of `on_scale`."""
    return np.where(np.isin(quantity, ENDS), np.exp(value), np.maximum(np.expm1(value), 0))


def calibration_errors(estimated: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Error of every extrapolation on one simulated screen, on the scale of `on_scale`.

    Parameters
    ----------
    estimated : `extrapolate` from some drugs of the screen
    truth : `measure` on all of them, with one seed, as the paper has one

    Returns frame: KEY, error (estimate - truth)
    """
    both = estimated.merge(truth, on=KEY)
    errors = on_scale(both["quantity"], both["estimate"]) - on_scale(both["quantity"], both["value"])
    return both[KEY].assign(error=errors)


def intervals(estimated: pd.DataFrame, errors: pd.DataFrame) -> pd.DataFrame:
    """Adds to an extrapolation what simulated screens teach of its error: low and high (95%), centre and sd.

    Errors are pooled over settings and variants of one axis, part and quantity, and their screens' means make the bias
    and the spread between screens; where the data set is as large as the paper's there is nothing to calibrate.

    Parameters
    ----------
    errors : `calibration_errors` of all screens, with a column `screen`
    """
    groups = ["axis", "part", "quantity"]
    pooled = errors.groupby(groups)["error"].agg(bias="mean", sd=lambda e: np.sqrt(np.mean((e - e.mean()) ** 2)))
    n_screens = errors["screen"].nunique()
    table = estimated.merge(pooled.astype(float).reset_index(), on=groups, how="left")
    table[["bias", "sd"]] = table[["bias", "sd"]].fillna(0.0)
    sd = np.sqrt(table["sd"] ** 2 * (1 + 1 / max(n_screens, 1)) + LEAST_SD**2)
    centre = on_scale(table["quantity"], table["estimate"]) - table["bias"]
    reach = student.ppf(0.975, n_screens - 1 if n_screens > 1 else np.inf) * sd
    low, high = (from_scale(table["quantity"], end) for end in (centre - reach, centre + reach))
    return table.assign(centre=centre, sd=sd, low=low, high=high)


def at_the_paper_s_size(found: pd.DataFrame) -> pd.DataFrame:
    """Every published quantity that a single reading extrapolates: frame quantity, extrapolated, low, high.

    The interval of a ratio of two counts is bounded by the ends of theirs.

    Parameters
    ----------
    found : as `intervals` gives it for a grid of one choice each
    """
    names = zip(found["part"], found["quantity"].str.split(", ").str[0], strict=True)
    table = found.assign(quantity=[PUBLISHED.get(name) for name in names])
    table = table.dropna(subset="quantity").set_index("quantity")[["estimate", "low", "high"]]
    table = table.set_axis(["extrapolated", "low", "high"], axis=1)
    table.loc["normalized_minimum"] = -table.loc["normalized_minimum", ["extrapolated", "high", "low"]].to_numpy()
    for part in ("raw", "pca", "itml"):
        enriched, clusters = (table.loc[f"{part} {column} Number"] for column in ("Enrichment", "Clustering"))
        ends = enriched.to_numpy() / clusters[["extrapolated", "high", "low"]].to_numpy()
        table.loc[f"{part} Enrichment Expectation"] = ends
    return table.reset_index()


def readings(found: pd.DataFrame, published: pd.Series) -> pd.DataFrame:
    """All readings, best first: put together from what `intervals` gives of their parts.

    The distance of a reading is the root mean square, over the published numbers, of (published - centre) / sd on the
    scale of `on_scale`, each capped at `FARTHEST`: a number that is far off counts no more than that, and so does one
    that the reading cannot give. Seeds enter by their mean, never by the best of them.

    Parameters
    ----------
    found : as `intervals` gives it
    published : by quantity of resources/published.csv

    Returns
    -------
    frame: rank, distance, within (published numbers inside their interval), the choices of `GRID`, and for every
    published number what the data set gives at its own size (`raw communities`), at the paper's (`..., extrapolated`),
    `..., low` and `..., high`; then the shares of ITML's seeds in which the named drugs, and MoAs, share a community
    """
    table = _choices(found)
    for (part, quantity), source in PUBLISHED.items():
        table = _join(table, found, part, quantity, abs(published[source]))
    for fact in TOGETHER:
        table = _join(table, found, "itml", fact, None)
    gaps = table.filter(regex=", gap$")
    table["within"] = table.filter(regex=", within$").sum(axis=1).astype(int)
    table["distance"] = np.sqrt((gaps.fillna(FARTHEST) ** 2).mean(axis=1))
    table = table.drop(columns=table.filter(regex=", (gap|within)$").columns)
    table = table.sort_values("distance", kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    first = ["rank", "distance", "within"]
    return table[first + [column for column in table if column not in first]]


def _choices(found):
    """Every reading: all combinations of what the parts were measured with."""
    settings = found.loc[found["part"] == "raw", ["axis", *SETTING]].drop_duplicates()
    pca = found.loc[found["part"] == "pca", ["variant"]].drop_duplicates().rename(columns={"variant": "pca"})
    itml = found.loc[found["part"] == "itml", "variant"].drop_duplicates().str.split(", ", expand=True)
    itml.columns = PARTS["itml"]
    ratios = found["quantity"].str.extract(r"^csif_of_two, (?P<ratio>.+)$").dropna().drop_duplicates()
    return settings.merge(pca, how="cross").merge(itml, how="cross").merge(ratios, how="cross")[list(GRID)]


def _join(table, found, part, quantity, published):
    """Adds one number of one part to the readings that it belongs to."""
    by_ratio = quantity.startswith("csif")
    mine = found[(found["part"] == part) & (found["quantity"].str.split(", ").str[0] == quantity)].copy()
    mine[PARTS[part]] = mine["variant"].str.split(", ", expand=True).reindex(columns=range(len(PARTS[part]))).to_numpy()
    mine["ratio"] = mine["quantity"].str.split(", ").str[1]
    name = quantity if quantity in TOGETHER else f"{part} {quantity}"
    values = {"own": name}
    if published is not None:
        gap = (on_scale(mine["quantity"], np.full(len(mine), published)) - mine["centre"]) / mine["sd"]
        mine["gap"] = gap.abs().clip(upper=FARTHEST)
        mine["inside"] = (mine["low"] <= published) & (published <= mine["high"])
        sides = {"estimate": "extrapolated", "low": "low", "high": "high", "gap": "gap", "inside": "within"}
        values |= {column: f"{name}, {side}" for column, side in sides.items()}
    keys = ["axis", *(SETTING if part != "range" else []), *PARTS[part], *(["ratio"] if by_ratio else [])]
    return table.merge(mine[[*keys, *values]].rename(columns=values), on=keys, how="left")
