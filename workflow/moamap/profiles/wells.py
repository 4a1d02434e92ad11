"""From wells to drugs, by pycytominer: comparable plates, selected features, one profile of replicates and doses."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from pycytominer import consensus as make_consensus
from pycytominer import feature_select
from pycytominer import normalize as make_comparable

from moamap.core.errors import InputError
from moamap.core.names import ROLES
from moamap.profiles.contract import is_control

METHODS = {"standardize": "standardize", "mad_robustize": "mad_robustize", "spherize": "spherize"}
METHODS["rank_int"] = "inverse_normal"  # rank-based inverse normal transform
OPERATIONS = {"variance": "variance_threshold", "missing": "drop_na_columns", "outliers": "drop_outliers"}
OPERATIONS |= {"correlation": "correlation_threshold", "blocklist": "blocklist"}
FEWEST_CONTROLS = 2


def wells_to_drugs(
    wells: pd.DataFrame,
    *,
    controls: Iterable = (),
    reference: str = "controls",
    normalize: str | None = "mad_robustize",
    select: Iterable[str] = ("variance", "missing", "outliers", "correlation"),
    correlation: float = 0.9,
    blocklist: Iterable[str] = (),
    consensus: str = "weighted",
    source: str = "profiles",
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """One profile per drug from one per well.

    Parameters
    ----------
    wells : a tidy table (`contract.tidy`)
    controls : values of the column `control` that mark control wells
    reference : wells of a plate that give it its scale: "controls" or "all"
    normalize : plate by plate, "standardize", "mad_robustize", "spherize", "rank_int" or None
    select : operations in their order, each on what the former left: "variance", "missing" (in over 5% of the wells),
        "outliers" (beyond 500), "correlation" (above `correlation` with another), "blocklist"
    blocklist : features; the field's usual ones where it is empty
    consensus : "median" or "modz" over the wells of a dose, and then over the doses; or "weighted", the median over the
        wells of a dose (of the drug, where there is no column `dose`), and then `weighted_mean` over the doses

    Returns
    -------
    drugs : pert_id, pert_iname and moa where they were there, features
    steps : step, detail, and the rows, drugs, plates and features that are left after it
    comparable : the normalized wells, controls too (`is_control`), with their roles and the selected features

    Raises InputError where the wells of a drug differ in name or MoA, or a plate has no reference.
    """
    features = [column for column in wells if column not in ROLES]
    wells = wells.assign(is_control=is_control(wells, controls))
    if "dose" in wells:
        wells["dose"] = _doses(wells["dose"])
    known = one_of_each(wells[~wells["is_control"]], source)
    steps = [_count("read", "", wells, features)]
    if normalize:
        wells = _comparable_plates(wells, features, normalize, reference, source)
        steps.append(_count("normalize", f"{normalize} against {reference} of each plate", wells, features))
    every, wells = wells, wells[~wells["is_control"]]
    steps.append(_count("treated wells", "", wells, features))
    for operation in select:
        features = _selected(wells, features, operation, correlation, list(blocklist))
        steps.append(_count("select", operation, wells, features))
    if not features:
        raise InputError(f"{source}: no feature is left after wells.select; leave an operation out")
    kept = [role for role in every if role in (*ROLES, "is_control") and role not in ("pert_iname", "moa")]
    for groups in [["pert_id", "dose"], ["pert_id"]] if "dose" in wells else [["pert_id"]]:
        doses = groups == ["pert_id"] and "dose" in wells  # the rows are those of a drug's doses, not wells
        operation = consensus if consensus != "weighted" else "weighted mean" if doses else "median"
        if operation == "weighted mean":
            wells = weighted_mean(wells, features)
        else:
            wells = make_consensus(wells[groups + features], groups, operation=operation, features=features)
        steps.append(_count("consensus", f"{operation} over {groups[-1]}", wells, features))
    drugs = known.merge(wells[["pert_id", *features]], on="pert_id")
    return drugs, pd.DataFrame(steps), every[[*kept, *features]]


def weighted_mean(doses: pd.DataFrame, features: list[str]) -> pd.DataFrame:
    """The mean profile of each drug over its doses, weighted by their strength: pert_id, features.

    The strength is the root mean square of the profile, in which 0 is what the plate was normalized to: a dose that
    does nothing says nothing. Of drugs without any effect all doses count alike.
    """
    x, ids = doses[features], doses["pert_id"]
    strength = np.sqrt(np.square(x).mean(axis=1))
    total = strength.groupby(ids).transform("sum")
    weights = strength.where(total > 0, 1.0)
    sums = x.mul(weights, axis=0).groupby(ids).sum()
    return sums.div(x.notna().mul(weights, axis=0).groupby(ids).sum()).reset_index()


def _doses(dose: pd.Series) -> pd.Series:
    """Doses as text, equal where the numbers are: one file says 10, another 10.0."""
    numbers = pd.to_numeric(dose, errors="coerce")
    return dose.where(numbers.isna(), numbers.map(repr)).fillna("none given")


def one_of_each(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """pert_id, pert_iname and moa (as far as they are there) of each drug; InputError where a drug has two of one."""
    known = rows[[role for role in ("pert_id", "pert_iname", "moa") if role in rows]].drop_duplicates()
    for role in known.columns[1:]:
        different = known.drop_duplicates(["pert_id", role])
        torn = different.loc[different["pert_id"].duplicated(), "pert_id"]
        if len(torn):
            found = different.loc[different["pert_id"] == torn.iloc[0], role].map(str)
            raise InputError(
                f"{source}: pert_id {torn.iloc[0]!r} has {len(found)} different values of {role} ({'; '.join(found)}); "
                "expected one"
            )
    return known.reset_index(drop=True)


def _comparable_plates(
    wells: pd.DataFrame, features: list[str], method: str, reference: str, source: str
) -> pd.DataFrame:
    if "plate" not in wells:
        raise InputError(f"{source}: no column 'plate'; wells.normalize goes plate by plate; set columns.plate")
    samples = "is_control" if reference == "controls" else "all"
    nowhere = wells["plate"].isna()
    if nowhere.any():
        raise InputError(
            f"{source}: {nowhere.sum()} of {len(wells)} wells have no plate (the first is of pert_id "
            f"{wells.loc[nowhere, 'pert_id'].iloc[0]!r}); fill in the column, or set wells.normalize: null"
        )
    done = []
    for plate, mine in wells.groupby("plate", sort=False):
        _check_reference(f"{source}: plate {plate!r}", mine, samples)
        meta = [column for column in mine if column not in features]
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                comparable = make_comparable(
                    mine, features, meta_features=meta, samples=samples, method=METHODS[method]
                )
        except (ValueError, np.linalg.LinAlgError) as error:  # spherize, of features that are constant on a plate
            said = " ".join(str(error).split())
            raise InputError(f"{source}: plate {plate!r} cannot be normalized by {method}: {said}") from error
        done.append(comparable[[*meta, *features]])
    return pd.concat(done, ignore_index=True)


def _check_reference(place: str, wells: pd.DataFrame, samples: str) -> None:
    """Raise InputError unless a plate has enough wells to take its scale from."""
    n_controls = wells["is_control"].sum()
    if samples == "all" and len(wells) < FEWEST_CONTROLS:
        raise InputError(
            f"{place} has {len(wells)} well, expected {FEWEST_CONTROLS} or more, which give it its scale; set "
            "columns.plate, or wells.normalize: null"
        )
    if samples != "all" and n_controls < FEWEST_CONTROLS:
        raise InputError(
            f"{place} has {n_controls} control wells, expected {FEWEST_CONTROLS} or more; set columns.control and "
            "wells.controls, or wells.reference: all"
        )


def _selected(
    wells: pd.DataFrame, features: list[str], operation: str, correlation: float, blocklist: list[str]
) -> list[str]:
    options = {"blocklist": blocklist} if blocklist else {}
    chosen = feature_select(
        wells[features], features, operation=OPERATIONS[operation], corr_threshold=correlation, **options
    )
    return [feature for feature in features if feature in chosen.columns]


def _count(step: str, detail: str, rows: pd.DataFrame, features: list[str]) -> dict[str, object]:
    return {
        "step": step,
        "detail": detail,
        "rows": len(rows),
        "drugs": rows["pert_id"].nunique(),
        "plates": rows["plate"].nunique() if "plate" in rows else None,
        "features": len(features),
    }
