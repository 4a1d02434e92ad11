"""The publisher's supplementary tables beside this run's: drugs, MoAs, communities and enriched MoAs.

Names are compared without regard to case and to spaces around them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from moamap.core.errors import InputError
from moamap.core.labels import parts
from moamap.validation.stability import agreement

JACCARD = "Jaccard index: shared / in either"
RAND = "adjusted Rand index over the drugs in both; shared: communities of the same drugs among these"
COLUMNS = ["quantity", "published", "here", "shared", "agreement", "measure"]


@dataclass(frozen=True)
class Comparison:
    """A published number beside this run's, how far the members agree, and the names that only one of the two has."""

    quantity: str
    published: int
    here: int
    shared: int
    agreement: float
    measure: str
    only_published: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()


def comparison_table(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """One row per comparison: quantity, published, here, shared, agreement, measure (what `agreement` is)."""
    return pd.DataFrame([vars(one) for one in comparisons], columns=COLUMNS)


def compare_drugs(published: pd.DataFrame, here: pd.DataFrame, policy: str) -> list[Comparison]:
    """Drugs, MoAs, and the MoAs of the drugs that are in both.

    Parameters
    ----------
    published, here : drug, moa (may be missing in `published`)
    policy : `whole` or `split`, as `moamap.core.labels.membership` takes it
    """
    mine, theirs = (_with_labels(table, policy) for table in (here, published))
    drugs = compared("drugs", published["drug"], here["drug"])
    both = _spelled(published["drug"]).keys() & _spelled(here["drug"]).keys()
    pairs = [table[_key(table["drug"]).isin(both)] for table in (theirs, mine)]
    named = [table["drug"].str.strip() + " [" + table["moa"].str.strip() + "]" for table in pairs]
    return [
        drugs,
        compared("MoAs", theirs["moa"], mine["moa"]),
        compared("drug-MoA pairs of the drugs in both", *named),
    ]


def compare_communities(published: pd.DataFrame, here: pd.DataFrame, file: str) -> list[Comparison]:
    """Drugs that have a community, and the adjusted Rand index of the communities over the drugs in both.

    Parameters
    ----------
    published, here : drug, community
    file : what an error line calls the published table

    Raises InputError where a drug is in two communities.
    """
    theirs, mine = _communities(published, file), _communities(here, "this run")
    both = theirs.index.intersection(mine.index)
    numbers = [pd.factorize(table.loc[both])[0] + 1 for table in (theirs, mine)]
    same = _groups(numbers[0]) & _groups(numbers[1])
    rand = agreement(*numbers) if len(both) > 1 else np.nan
    drugs = compared("drugs with a community", published["drug"], here["drug"])
    return [drugs, Comparison("communities", theirs.nunique(), mine.nunique(), len(same), rand, RAND)]


def compare_enriched(published: pd.DataFrame, here: Mapping[str, Iterable[str]], main: str) -> list[Comparison]:
    """Enriched MoAs of each representation that the published table names; of `main` where it names none.

    Parameters
    ----------
    published : moa, and representation where the table has that column, one or more rows per enriched MoA
    here : representation -> its enriched MoAs

    Raises InputError where no representation of the published table is one of this run.
    """
    names = _spelled(published["representation"]) if "representation" in published else {main.casefold(): main}
    mine = {name.casefold(): name for name in here}
    if not names.keys() & mine.keys():
        raise InputError(
            f"published_tables.enrichment: the representations are {', '.join(names.values())}; expected at least one "
            f"of this study's: {', '.join(here)}"
        )
    found = []
    for key in [key for key in mine if key in names]:
        rows = published[_key(published["representation"]) == key] if "representation" in published else published
        found.append(compared(f"enriched MoAs, {mine[key]}", rows["moa"], pd.Series([*here[mine[key]]], dtype=object)))
    return found


def other_representations(published: pd.DataFrame, here: Iterable[str]) -> list[str]:
    """Representations of a published table of enriched MoAs that this run does not have."""
    if "representation" not in published:
        return []
    mine = {name.casefold() for name in here}
    return [name for key, name in _spelled(published["representation"]).items() if key not in mine]


def compared(quantity: str, published: pd.Series, here: pd.Series) -> Comparison:
    """Two sets of names, compared by their Jaccard index (NaN where both are empty)."""
    theirs, mine = _spelled(published), _spelled(here)
    shared, either = theirs.keys() & mine.keys(), theirs.keys() | mine.keys()
    only = [tuple(sorted(names[key] for key in names.keys() - shared)) for names in (theirs, mine)]
    jaccard = len(shared) / len(either) if either else np.nan
    return Comparison(quantity, len(theirs), len(mine), len(shared), jaccard, JACCARD, *only)


def _key(names: pd.Series) -> pd.Series:
    return names.str.strip().str.casefold()


def _spelled(names: pd.Series) -> dict[str, str]:
    """What each name is compared by -> the name as it is first spelled; without missing and empty ones."""
    spelled: dict[str, str] = {}
    for name in names.dropna().str.strip():
        spelled.setdefault(name.casefold(), name)
    spelled.pop("", None)
    return spelled


def _with_labels(table: pd.DataFrame, policy: str) -> pd.DataFrame:
    """One row per drug and MoA."""
    known = table.dropna(subset=["drug", "moa"])
    return known.assign(moa=known["moa"].map(parts)).explode("moa").dropna() if policy == "split" else known


def _communities(table: pd.DataFrame, file: str) -> pd.Series:
    """The community of each drug, by what its name is compared by."""
    known = table.dropna(subset=["drug", "community"])
    numbers = known["community"].astype(str).str.strip().set_axis(_key(known["drug"]))
    sizes = numbers.groupby(level=0).nunique()
    if (sizes > 1).any():
        name = sizes.index[sizes > 1][0]
        found = "; ".join(sorted(numbers[name].unique()))
        raise InputError(f"{file}: drug {name!r} is in {sizes[name]} communities ({found}); expected one")
    return numbers[~numbers.index.duplicated()]


def _groups(numbers: np.ndarray) -> set[frozenset[int]]:
    """The rows of each community."""
    return {frozenset(np.flatnonzero(numbers == one)) for one in np.unique(numbers)}
