"""What a table of profiles holds, before anything is made of it."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from moamap.core.errors import InputError
from moamap.core.names import ROLES
from moamap.profiles.annotation import annotate, feature_columns, one_row_per_drug, own_annotation, study_problems
from moamap.profiles.contract import Origin, contract_problems, is_control, with_numbers
from moamap.profiles.wells import wells_to_drugs

Annotation = tuple[pd.DataFrame, pd.DataFrame]
EXTREME = 100.0  # times the interquartile range away from the median
CHANNELS = (
    "AGP",
    "DNA",
    "ER",
    "Mito",
    "RNA",
    "Hoechst",
    "Syto",
    "Ph_golgi",
    "Brightfield",
    "Actin",
    "Golgi",
    "Tubulin",
)


def inspect(table: pd.DataFrame, *, controls: Iterable = (), min_drugs: int = 5) -> list[tuple[str, str]]:
    """What is there and what will be dropped, as (what, how much) in the order of reading.

    Parameters
    ----------
    table : a tidy table (`contract.tidy`); moa may be joined to it already
    controls : values of the column `control` that mark control wells
    min_drugs : drugs that a MoA needs to be tested
    """
    features = [column for column in table if column not in ROLES]
    control = is_control(table, controls)
    drugs = table[~control]
    found = [("rows", f"{len(table)}" + (f", {control.sum()} of them controls" if control.any() else ""))]
    found.append(("drugs (pert_id)", f"{drugs['pert_id'].nunique()}"))
    found += _repeats(drugs, control, table)
    found += _features(table[features])
    return found + _moas(drugs, min_drugs)


def refusals(
    table: pd.DataFrame,
    annotation: Annotation | None,
    *,
    source: str | Origin,
    wells: dict[str, Any] | None,
    policy: str,
    min_drugs: int,
    queried: Sequence[str],
    refuse_bad_features: bool,
    axis: str,
) -> list[str]:
    """Why the study would refuse a table, found by the very functions that prepare it; a stage that is refused is the
    last that is tried.

    Parameters
    ----------
    table : a tidy table (`contract.tidy`)
    annotation : of the Hub, as `hub_annotation` gives it; None where the table brings its own
    source : what to call the table, or the files that its rows came from
    wells : parameters of `wells_to_drugs`; None where the table has one row per drug
    policy, min_drugs, queried, refuse_bad_features, axis : as `study_problems` takes them
    """
    controls = (wells or {}).get("controls", ())
    problems = list(contract_problems(table, controls=controls, one_row_each=wells is None, source=source))
    if problems:
        return problems
    try:
        drugs = with_numbers(table)
        drugs = drugs if wells is None else wells_to_drugs(drugs, **wells)[0]
        profiles = drugs[["pert_id", *feature_columns(drugs)]]
        rows, _ = annotate(profiles, *(annotation or own_annotation(drugs)))
        drugs, _ = one_row_per_drug(rows)
    except InputError as error:
        return [str(error)]
    return list(
        study_problems(
            drugs,
            policy=policy,
            min_drugs=min_drugs,
            queried=queried,
            refuse_bad_features=refuse_bad_features,
            axis=axis,
        )
    )


def feature_parts(name: str) -> tuple[str, str, str]:
    """Compartment, measurement and channel that a CellProfiler name says: Cells_Texture_Entropy_Mito_3 -> Cells,
    Texture, Mito; '' for what it does not say.
    """
    compartment, _, rest = name.partition("_")
    measurement = rest.split("_")[0]
    padded = f"_{rest}_"
    channel = next((channel for channel in CHANNELS if f"_{channel}_" in padded), "")
    return (compartment, measurement, channel) if rest else ("", "", "")


def _repeats(drugs: pd.DataFrame, control: pd.Series, table: pd.DataFrame) -> list[tuple[str, str]]:
    times = drugs["pert_id"].value_counts()
    found = []
    if (times > 1).any():
        found.append(
            ("rows of one drug", f"{times.min()} to {times.max()}, median {times.median():g} (`wells:` joins them)")
        )
    for role in ("plate", "dose"):
        if role in table:
            found.append((f"{role}s", f"{table[role].nunique()}"))
    if "plate" in table and control.any():
        each = control.groupby(table["plate"]).sum()
        found.append(("controls a plate", f"{each.min()} to {each.max()}"))
    return found


def _features(features: pd.DataFrame) -> list[tuple[str, str]]:
    values = np.array([pd.to_numeric(features[name], errors="coerce") for name in features], dtype=float)
    values = values.reshape(features.shape[::-1]).T
    parts = pd.DataFrame(map(feature_parts, map(str, features)), columns=["compartment", "measurement", "channel"])
    found = [("features", f"{features.shape[1]}")]
    found += [(f"  by {part}", _counts(parts[part].replace("", "none"))) for part in parts]
    missing, infinite = np.isnan(values).any(axis=0), np.isinf(values).any(axis=0)
    usable = values[:, ~missing & ~infinite]
    constant = (usable == usable[:1]).all(axis=0) if usable.size else np.zeros(0, dtype=bool)
    words = {"with missing values": missing.sum(), "with infinite values": infinite.sum(), "constant": constant.sum()}
    note = "normalization.bad_features: drop leaves them out; the default refuses"
    for word, count in words.items():
        found.append((f"  {word}", f"{count}" + (f" ({note})" if count else "")))
    found.append((f"  with values beyond {EXTREME:g} interquartile ranges", f"{_far(usable[:, ~constant])}"))
    finite = values[np.isfinite(values)]
    return [*found, ("range of values", f"{finite.min():.4g} to {finite.max():.4g}" if finite.size else "no number")]


def _far(values: np.ndarray) -> int:
    """How many features have a value far from the others."""
    if not values.size:
        return 0
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return int((np.abs(values - middle) > EXTREME * (high - low)).any(axis=0).sum())


def _moas(drugs: pd.DataFrame, min_drugs: int) -> list[tuple[str, str]]:
    if "moa" not in drugs:
        return [("MoA", "no column; set columns.moa, or sources.samples and sources.drugs to join the Hub's")]
    names = drugs["pert_iname"].fillna(drugs["pert_id"]) if "pert_iname" in drugs else drugs["pert_id"]
    labelled = drugs[drugs["moa"].notna()]
    labelled = labelled[~names[labelled.index].duplicated()]  # ids of one name become one drug
    sizes = labelled["moa"].value_counts()
    without = drugs.loc[drugs["moa"].isna(), "pert_id"].nunique()
    found = [("drugs with a MoA", f"{len(labelled)}; {without} ids without one (option `unannotated`)")]
    found.append(("MoAs", f"{len(sizes)}, {(sizes >= min_drugs).sum()} of {min_drugs} drugs or more, which are tested"))
    several = labelled["moa"].str.contains("|", regex=False).sum()
    if several:
        found.append(("drugs with several MoAs (|)", f"{several} (`moa: split` counts each; `whole` takes the string)"))
    return [*found, ("largest MoAs", ", ".join(f"{moa} {size}" for moa, size in sizes.head(5).items()))]


def _counts(values: pd.Series) -> str:
    return ", ".join(f"{name} {count}" for name, count in values.value_counts().items())
