"""Retrieval: does a drug find the other drugs of its MoA among its nearest?"""

from dataclasses import dataclass

import numpy as np

from moamap.core.labels import members


@dataclass(frozen=True)
class Ranking:
    """For each query drug the gallery drugs from near to far; the query itself is never in its gallery.

    Ties keep the order of the table, so a ranking is the same in every run.
    """

    queries: np.ndarray  # (n_queries,) rows
    order: np.ndarray  # (n_queries, n_gallery - 1) rows, nearest first


def rank(squared: np.ndarray, queries: np.ndarray, gallery: np.ndarray) -> Ranking:
    """Rank the gallery for each query.

    Parameters
    ----------
    squared : (n, n) distances or squared distances
    queries, gallery : rows of it; every query must be in the gallery
    """
    everyone = len(gallery) == len(squared) and np.array_equal(gallery, np.arange(len(squared)))
    if everyone:  # as in most calls; then whole rows can be copied, and places are drugs
        held = squared[queries]
        held[np.arange(len(queries)), queries] = -np.inf  # itself, first, to be cut off
        return Ranking(queries, _argsort(held)[:, 1:])
    held = squared[np.ix_(queries, gallery)]
    held[queries[:, None] == gallery] = -np.inf
    return Ranking(queries, gallery[_argsort(held)[:, 1:]])


def _argsort(rows: np.ndarray) -> np.ndarray:
    """Stable argsort of each row, but by the several times faster unstable one where there are no ties."""
    order = np.argsort(rows, axis=1)
    sorted_rows = take_by_row(rows, np.arange(len(rows)), order)
    tied = (sorted_rows[:, 1:] == sorted_rows[:, :-1]).any(axis=1)
    if tied.any():
        order[tied] = np.argsort(rows[tied], axis=1, kind="stable")
    return order


def take_by_row(table: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """table[rows[:, None], columns], in a third of the time: (n, m), (k,), (k, l) -> (k, l)."""
    return table.ravel().take(columns + (rows * table.shape[1])[:, None])


def average_precision(ranking: Ranking, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and 1-nearest-neighbour hit of every query: (n_queries,) each, NaN without a relevant drug.

    The mean, over the relevant drugs, of the share of relevant ones among all that are as near or nearer.

    Parameters
    ----------
    shared : (n, n) booleans: the two drugs share a MoA
    """
    relevant = take_by_row(shared, ranking.queries, ranking.order)
    found = np.cumsum(relevant, axis=1, dtype=np.int32)
    precision = found / np.arange(1, relevant.shape[1] + 1)
    total = relevant.sum(axis=1)
    with np.errstate(invalid="ignore"):
        scores = np.where(relevant, precision, 0.0).sum(axis=1) / np.where(total, total, np.nan)
    return scores, np.where(total, relevant[:, :1].any(axis=1), np.nan)


def places(ranking: Ranking) -> np.ndarray:
    """The place of every drug (column) among the others as seen by a drug (row), 1 being the nearest and 0 itself.

    `ranking` has every drug as a query against all others, in the order of the table.
    """
    n = len(ranking.queries)
    place = np.zeros((n, n), dtype=np.int32)
    place.ravel()[ranking.order + n * np.arange(n)[:, None]] = np.arange(1, n, dtype=np.int32)
    return place


def precision_of_pairs(place: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """`average_precision` of every drug against all others, in the time that the relevant pairs take.

    A permutation of the labels changes which pairs are relevant, and no place.

    Parameters
    ----------
    place : (n, n) as `places` gives them
    pairs : the pairs of drugs that share a MoA, both ways, as `labels.pairs_that_share` lists them

    Returns
    -------
    average precision and 1-nearest-neighbour hit: (n,) each, NaN without a relevant drug
    """
    n = len(place)
    first, second = pairs
    scores, hits = np.full((2, n), np.nan)
    if not len(first):
        return scores, hits
    pair = first * n
    query, rank_of = np.divmod(np.sort(pair + place.ravel().take(pair + second)), n)
    start = np.flatnonzero(np.diff(query, prepend=-1))
    total = np.diff(start, append=len(query))
    nth = np.arange(1, len(query) + 1) - np.repeat(start, total)
    scores[query[start]] = np.add.reduceat(nth / rank_of, start) / total
    hits[query[start]] = rank_of[start] == 1
    return scores, hits


def mean_by_moa(scores: np.ndarray, queries: np.ndarray, moas: np.ndarray) -> np.ndarray:
    """Mean score of each MoA's drugs: (n_queries,), rows, (n, n_moas) booleans -> (n_moas,); NaN where none has one."""
    known = ~np.isnan(scores)
    query, moa = members(moas[queries[known]])
    total, drugs = (np.bincount(moa, weights, moas.shape[1]) for weights in (scores[known][query], None))
    with np.errstate(invalid="ignore"):
        return total / drugs
