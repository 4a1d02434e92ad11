"""Drugs worth testing: which drugs lie among the drugs of a MoA that is not theirs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, gamma

from moamap.core.labels import sharing
from moamap.validation.retrieval import Ranking


def closeness(ranking: Ranking) -> np.ndarray:
    """-log(r / (n - 1)) of every drug (column), r being its rank among the others as seen by a drug (row): (n, n).

    `ranking` has every drug as a query against all others, in the order of the table.
    """
    n_others = ranking.order.shape[1]
    n = n_others + 1
    close = np.zeros((n, n))
    close.ravel()[ranking.order + n * np.arange(n)[:, None]] = -np.log(np.arange(1, n) / n_others)
    return close


def nearness_p(close: np.ndarray, moas: np.ndarray) -> np.ndarray:
    """P that the drugs of a MoA lie so near to a drug by chance: (n, n), (n, n_moas) -> (n, n_moas); 1 for its own.

    If labels say nothing the ranks of the K members are uniform, and the sum of -log(r / (n - 1)) over them follows at
    most a Gamma(K) distribution (Fisher's method). A few very near members are enough to make it small.
    """
    total = close @ moas.astype(float)
    p = gamma.sf(total, np.maximum(moas.sum(axis=0), 1))
    return np.where(moas, 1.0, p)


def false_discovery_rate(p: np.ndarray, moas: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q over all drug x MoA pairs but a drug's own; 1 for its own."""
    q = np.ones_like(p)
    q[~moas] = false_discovery_control(p[~moas])
    return q


def n_proposed(close: np.ndarray, moas: np.ndarray, level: float) -> int:
    """Drugs with q < `level` for a MoA that is not theirs: of (n, n), (n, n_moas), as the functions above would say.

    For many permutations: only the small P are worked out, and of Benjamini and Hochberg's q only whom it lets through.
    """
    members = moas.sum(axis=0)
    total = close @ moas.astype(float)
    drug, moa = np.nonzero((total > gamma.isf(level, np.maximum(members, 1))) & ~moas)
    p = gamma.sf(total[drug, moa], members[moa])
    ordered = np.sort(p)
    passed = ordered[ordered * (~moas).sum() / np.arange(1, len(p) + 1) < level]
    return len(np.unique(drug[p <= passed.max(initial=-1.0)]))


def proposals(
    drugs: pd.DataFrame, names: Sequence[str], close: np.ndarray, moas: np.ndarray, kept: np.ndarray
) -> pd.DataFrame:
    """For every drug the MoA, not its own, whose drugs lie nearest.

    Parameters
    ----------
    drugs : drug, moa
    names : (n_moas,) the tested MoAs
    close : as `closeness`, on cross-fitted distances
    moas : (n, n_moas) booleans of the tested MoAs
    kept : (n_runs, n) number of the MoA proposed in each stability run, -1 where the drug was left out

    Returns
    -------
    frame sorted by q: drug, known_moa, kind, proposed, evidence (how near the MoA's drugs are, as a mean percentile of
    their ranks: 100 is nearest), p_value, q_value, stability (share of the runs that propose the same)
    """
    p = nearness_p(close, moas)
    q = false_discovery_rate(p, moas)
    best = p.argmin(axis=1)
    row = np.arange(len(p))
    present = kept >= 0
    with np.errstate(invalid="ignore"):
        stability = ((kept == best) & present).sum(axis=0) / present.sum(axis=0)
    percentile = 100 * (1 - np.exp(-close)) @ moas / moas.sum(axis=0)
    table = pd.DataFrame(
        {
            "drug": drugs["drug"],
            "known_moa": drugs["moa"],
            "kind": "proposed MoA",
            "proposed": np.asarray(names)[best],
            "evidence": percentile[row, best],
            "p_value": p[row, best],
            "q_value": q[row, best],
            "stability": stability,
        }
    )
    return table.sort_values(["q_value", "p_value"], kind="stable")


def partners(
    queried: Sequence[str],
    drugs: pd.DataFrame,
    moas: np.ndarray,
    association: np.ndarray,
    runs: np.ndarray,
    *,
    neighbours: int,
) -> pd.DataFrame:
    """Repurposing partners of the queried drugs: the nearest drugs that share no MoA; columns as `proposals`.

    No permutation of labels makes a null for a pair of drugs, so they have no p.

    Parameters
    ----------
    drugs : drug, moa
    moas : (n, n_moas) booleans of all MoAs
    association : (n, n) association scores of the cross-fitted distances; the evidence is its percentile
    runs : (n_runs, n) communities of the stability runs, 0 where the drug was left out
    """
    tables = []
    fellows = sharing(moas)
    for name in queried:
        row = int(np.flatnonzero(drugs["drug"] == name)[0])
        others = np.flatnonzero(~fellows[row])
        near = others[np.argsort(-association[row, others], kind="stable")[:neighbours]]
        both = (runs[:, [row]] > 0) & (runs[:, near] > 0)
        with np.errstate(invalid="ignore"):  # no run has both
            together = ((runs[:, [row]] == runs[:, near]) & both).sum(axis=0) / both.sum(axis=0)
        known = {"drug": name, "known_moa": drugs["moa"][row], "kind": "repurposing partner"}
        table = pd.DataFrame({"proposed": drugs["drug"][near] + " [" + drugs["moa"][near] + "]"}).assign(**known)
        tables.append(table.assign(evidence=100 * association[row, near], stability=together))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
