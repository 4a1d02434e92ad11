"""The table of candidates: what each drug may be, with the evidence in words, in the order of reading."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from moamap.core.labels import sharing
from moamap.validation.proposals import PROPOSAL, Honest, Proposed, additional

UNANNOTATED, PARTNER = "unannotated", "repurposing partner"
ADDITIONAL, HIDDEN = "additional MoA", "hidden MoA"
KINDS = [UNANNOTATED, PARTNER, ADDITIONAL, HIDDEN]  # in the order of reading
CALLED, RANKED = "proposal", "ranked list"
LISTED = 5  # MoAs of a drug
NAMED = 3  # nearest members that the evidence names
MOAS = [f"{what}_{place}" for place in range(1, LISTED + 1) for what in ("moa", "probability")]
COLUMNS = ["drug", "kind", "known_moa", "called", *MOAS[:2], "partner", "rank_score", "evidence", "stability"]
COLUMNS += ["target", "clinical_phase", *MOAS[2:], "none_of_these"]


def listed(shares: np.ndarray, names: Sequence[str], *, probable: bool) -> pd.DataFrame:
    """The first MoAs of each compound, by falling share: moa_1, probability_1, ... moa_5, probability_5.

    Parameters
    ----------
    shares : (n, n_moas), 0 for a MoA that is not to be listed
    probable : whether the shares are probabilities; if not, those cells are empty
    """
    columns: dict[str, np.ndarray] = {}
    for place, moa in enumerate(np.argsort(-shares, axis=1, kind="stable")[:, :LISTED].T, start=1):
        share = np.take_along_axis(shares, moa[:, None], axis=1)[:, 0]
        columns[f"moa_{place}"] = np.asarray([*names, None], dtype=object)[np.where(share > 0, moa, len(names))]
        columns[f"probability_{place}"] = np.where((share > 0) & probable, share, np.nan)
    return pd.DataFrame(columns).reindex(columns=MOAS)


def called(probability: pd.Series) -> np.ndarray:
    """Only a probability of `PROPOSAL` or more is called a proposal."""
    return np.where(probability >= PROPOSAL, CALLED, RANKED)


def evidence(
    first: np.ndarray, shares: np.ndarray, members: np.ndarray, drugs: Sequence[str], *, own: bool
) -> list[str]:
    """The nearest members of each compound's first MoA, and their ranks among all drugs, in words.

    Parameters
    ----------
    first : (n,) its column in `members`
    shares : (n, n_drugs) rank shares as in `nearness.Views`
    members : (n_drugs, n_moas) booleans
    own : whether the compounds are the drugs, in their order: a drug is no evidence of its own MoA
    """
    words, ranks = [], shares.argsort(axis=1, kind="stable").argsort(axis=1) + 1
    itself = np.arange(len(shares)) if own else np.full(len(shares), -1)
    for mine, moa, row in zip(ranks, first, itself, strict=True):
        fellows = np.setdiff1d(np.flatnonzero(members[:, moa]), row)
        near = fellows[np.argsort(mine[fellows])[:NAMED]]
        words.append("nearest of its drugs: " + ", ".join(f"{drugs[at]} (rank {mine[at]})" for at in near))
    return words


def annotated(
    drugs: pd.DataFrame, proposed: Proposed, found: Mapping[str, Honest], members: np.ndarray, names: Sequence[str]
) -> pd.DataFrame:
    """Two rows for each annotated drug: its MoA were it hidden, and a MoA that it may have beside its own.

    Parameters
    ----------
    drugs : drug, moa
    found : the representations that proposals are made from
    members : (n, n_moas) booleans of the candidates; names : (n_moas,) their names

    Returns
    -------
    frame with those of `COLUMNS` that are known here
    """
    shares = np.stack(
        [found[proposed.models[fold].representation].views.shares[row] for row, fold in enumerate(proposed.folds)]
    )
    known = {"drug": drugs["drug"], "known_moa": drugs["moa"]}
    tables = []
    for kind, values in (
        (HIDDEN, proposed.posterior[:, :-1]),
        (ADDITIONAL, additional(proposed.posterior, members)[0]),
    ):
        table = listed(values, names, probable=kind == HIDDEN).assign(**known, kind=kind)
        tables.append(
            table.assign(evidence=evidence(values.argmax(axis=1), shares, members, list(drugs["drug"]), own=True))
        )
    hidden, further = tables
    hidden = hidden.assign(
        none_of_these=proposed.posterior[:, -1], stability=proposed.stability, called=called(hidden["probability_1"])
    )
    further = further.assign(rank_score=additional(proposed.posterior, members)[1], called=RANKED)
    return pd.concat([hidden, further[further["moa_1"].notna()]], ignore_index=True)


def placed(
    compounds: pd.Series,
    posterior: np.ndarray,
    shares: np.ndarray,
    members: np.ndarray,
    names: Sequence[str],
    drugs: Sequence[str],
) -> pd.DataFrame:
    """A row for each compound that is none of the drugs.

    Parameters
    ----------
    compounds : (n,) names; posterior : (n, n_moas + 1) as `proposals.propose`
    shares : (n, n_drugs) as in `nearness.Views`
    members, names : as in `annotated`; drugs : (n_drugs,) names
    """
    table = listed(posterior[:, :-1], names, probable=True).assign(compound=compounds, kind=UNANNOTATED)
    table["evidence"] = evidence(posterior[:, :-1].argmax(axis=1), shares, members, drugs, own=False)
    table = table.assign(none_of_these=posterior[:, -1], called=called(table["probability_1"]))
    return table[["compound", "kind", "called", *MOAS[:2], "evidence", *MOAS[2:], "none_of_these"]]


def partners(
    queried: Sequence[str],
    drugs: pd.DataFrame,
    moas: np.ndarray,
    association: np.ndarray,
    runs: np.ndarray,
    *,
    neighbours: int,
) -> pd.DataFrame:
    """Repurposing partners of the queried drugs: the nearest drugs that share no MoA, nearest first.

    No permutation of labels makes a null for a pair of drugs, so they have no p and no probability.

    Parameters
    ----------
    queried : names in `drugs`, which has drug, moa
    moas : (n, n_moas) booleans of all MoAs
    association : (n_queried, n) association scores of the queried drugs' distances to all
    runs : (n_runs, n) communities of the stability runs, 0 where the drug was left out
    """
    tables = []
    fellows = sharing(moas)
    for name, score in zip(queried, association, strict=True):
        row = int(np.flatnonzero(drugs["drug"] == name)[0])
        others = np.flatnonzero(~fellows[row])
        near = others[np.argsort(-score[others], kind="stable")[:neighbours]]
        both = (runs[:, [row]] > 0) & (runs[:, near] > 0)
        with np.errstate(invalid="ignore"):  # no run has both
            together = ((runs[:, [row]] == runs[:, near]) & both).sum(axis=0) / both.sum(axis=0)
        known = {"drug": name, "known_moa": drugs["moa"][row], "kind": PARTNER, "called": RANKED}
        table = pd.DataFrame({"partner": drugs["drug"][near] + " [" + drugs["moa"][near] + "]"}).assign(**known)
        words = [f"nearer than {100 * one:.1f}% of all pairs of drugs" for one in score[near]]
        tables.append(table.assign(evidence=words, stability=together))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def in_reading_order(table: pd.DataFrame) -> pd.DataFrame:
    """`COLUMNS` of all rows: proposals first; then compounds without a MoA, partners, additional and hidden MoAs, each
    by falling probability or rank score; partners from near to far.
    """
    table = table.reindex(columns=COLUMNS)
    by = {"ranked": table["called"] != CALLED, "kind": table["kind"].map(KINDS.index)}
    by |= {"probability": -table["probability_1"].astype(float), "score": -table["rank_score"].astype(float)}
    order = pd.DataFrame(by).sort_values(list(by), kind="stable").index
    return table.loc[order].reset_index(drop=True)
