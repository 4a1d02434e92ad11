"""Affinity propagation (Frey and Dueck, Science 2007): scikit-learn's messages in one pass over memory an iteration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.utils import check_array, check_random_state

from moamap.core.numerics import median

LANES = 128  # columns compared at a time: one vector operation serves all of them
BLOCK_BYTES = 2**22  # rows updated before their column sums are taken, while they are still in the cache


class Communities(NamedTuple):
    """Result of `affinity_propagation`.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        Community of each point, an index into `exemplars`; -1 for all if no point became an exemplar.
    exemplars : ndarray of int, shape (n_communities,)
        The points that stand for their communities, in ascending order.
    n_iter : int
        Iterations done; 0 if all similarities are equal.
    converged : bool
        Whether the exemplars stayed the same for `convergence_iter` iterations.
    net_similarity : float
        Similarity of each point to its exemplar plus the preferences of the exemplars, summed; -inf without exemplars.
    """

    labels: np.ndarray
    exemplars: np.ndarray
    n_iter: int
    converged: bool
    net_similarity: float


def affinity_propagation(
    S: ArrayLike,
    *,
    preference: ArrayLike | None = None,
    damping: float = 0.5,
    max_iter: int = 200,
    convergence_iter: int = 15,
    random_state: int | np.random.RandomState | None = None,
    dtype: DTypeLike | None = None,
    n_threads: int = 1,
    overwrite: bool = False,
) -> Communities:
    """Find exemplars among n points by passing messages between them (Frey and Dueck 2007, equations 1-3).

    In float64 the messages are those of scikit-learn 1.7, by the same operations in the same order, whatever the number
    of threads. Takes three n x n arrays of `dtype` beside S, two with `overwrite`.

    Parameters
    ----------
    S : array-like, shape (n, n)
        Similarities, finite, the larger the more alike; its diagonal counts only in the median. Not modified.
    preference : float or array-like, shape (n,), optional
        Similarity of a point to itself: the larger, the more communities. Default: the median of S, diagonal included.
    damping : float in [0.5, 1)
        Share of the previous message kept in each iteration.
    max_iter : int
        Iterations after which to give up.
    convergence_iter : int
        Iterations without a change of exemplars after which to stop.
    random_state : int, RandomState or None
        Of the noise, as small as the rounding, that breaks ties.
    dtype : float32 or float64, optional
        Of the messages. Default: that of S.
    n_threads : int
        Threads to use, at most; the result is the same for any number.
    overwrite : bool
        Whether S, where it is an array of `dtype`, may be modified, which saves a copy. The net similarity then
        includes the noise, which is as small as the rounding.

    Returns
    -------
    Communities
        Without convergence the labels follow the last iteration, and `converged` is False; no warning is given.

    Raises
    ------
    ValueError
        If S is not square and finite, `preference` has another shape, or a parameter is out of its range.
    """
    s, preferences, kind = _check(S, preference, damping, max_iter, convergence_iter, dtype, n_threads)
    if _all_equal(s, preferences):
        labels = np.arange(len(s)) if preferences[0] > s[0, -1] else np.zeros(len(s), dtype=int)
        exemplars, n_iter, converged = np.unique(labels), 0, True
    else:
        noisy = np.require(s, kind, ["C", "W"]) if overwrite else np.array(s, dtype=kind, order="C")
        _break_ties(noisy, preferences, check_random_state(random_state))
        with threads(n_threads):
            exemplars, n_iter, converged = _find_exemplars(noisy, damping, max_iter, convergence_iter)
        labels, exemplars = _refine(noisy, exemplars)
    return Communities(labels, exemplars, n_iter, converged, _net_similarity(s, preferences, labels, exemplars))


def _check(S, preference, damping, max_iter, convergence_iter, dtype, n_threads):
    S = check_array(S, dtype=[np.float64, np.float32])
    dtype = S.dtype if dtype is None else np.dtype(dtype)
    if S.shape[0] != S.shape[1]:
        raise ValueError(f"S must be square, not {S.shape}")
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, not {dtype}")
    if not 0.5 <= damping < 1:
        raise ValueError(f"damping must be in [0.5, 1), not {damping}")
    if min(max_iter, convergence_iter, n_threads) < 1:
        raise ValueError("max_iter, convergence_iter and n_threads must be 1 or more")
    preference = np.asarray(median(S) if preference is None else preference, dtype=float)
    if not np.isfinite(preference).all():
        raise ValueError("preference must be finite")
    return S, np.broadcast_to(preference, len(S)), dtype


@contextmanager
def threads(wanted: int) -> Iterator[None]:
    """Numba's threads limited to so many, as long as the context lasts."""
    before = numba.get_num_threads()
    numba.set_num_threads(min(wanted, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _all_equal(S, preference):
    """Whether there is nothing to choose by: scikit-learn then takes one community, or as many as points."""
    rows = enumerate(S)
    return np.all(preference == preference[0]) and all(np.all(np.delete(row, i) == S[0, -1]) for i, row in rows)


def _break_ties(S, preference, rng):
    """Puts the preferences on the diagonal of S, and adds noise of the size of its rounding; by rows, for memory."""
    np.fill_diagonal(S, preference)
    precision = np.finfo(S.dtype)
    for row in S:
        add_noise(row, rng.standard_normal(len(row)), precision.eps, precision.tiny * 100)


@numba.njit(cache=True)
def add_noise(row: np.ndarray, normal: np.ndarray, share: float, least: float) -> None:
    """Adds to a row of similarities noise of `share` of each and at least `least`, times random normal numbers."""
    for k in range(len(row)):
        row[k] += (share * row[k] + least) * normal[k]


def _find_exemplars(S, damping, max_iter, convergence_iter):
    """Exemplars, iterations, convergence. S is as before when this returns."""
    self_similarity = S.diagonal().copy()
    np.fill_diagonal(S, -np.inf)
    pass_messages = partial(_pass_messages, S, np.zeros(S.shape, S.dtype), np.zeros(S.shape, S.dtype))
    found = pass_until_stable(pass_messages, self_similarity, damping, max_iter, convergence_iter)
    np.fill_diagonal(S, self_similarity)
    return found


def pass_until_stable(
    pass_messages: Callable, self_similarity: np.ndarray, damping: float, max_iter: int, convergence_iter: int
) -> tuple[np.ndarray, int, bool]:
    """Exemplars, iterations, convergence. A point's messages to itself have rules of their own, and are kept apart.

    Parameters
    ----------
    pass_messages : one iteration between different points, such as `_pass_messages` with its three arrays
    self_similarity : (n,), in the type of the messages
    damping, max_iter, convergence_iter : as in `affinity_propagation`
    """
    keep, take = self_similarity.dtype.type(damping), self_similarity.dtype.type(1 - damping)
    self_availability, self_responsibility, support = np.zeros((3, len(self_similarity)), dtype=self_similarity.dtype)
    is_exemplar, unchanged, converged = np.zeros(0, dtype=bool), 0, False
    for iteration in range(max_iter):
        own = (self_similarity, self_availability, self_responsibility)
        support = pass_messages(support, *own, keep, take, numba.get_num_threads())
        self_availability = self_availability * keep - (self_responsibility - support) * take
        previous, is_exemplar = is_exemplar, self_availability + self_responsibility > 0
        unchanged = unchanged + 1 if np.array_equal(is_exemplar, previous) else 1
        converged = iteration >= convergence_iter and unchanged >= convergence_iter and bool(is_exemplar.any())
        if converged:
            break
    return np.flatnonzero(is_exemplar), iteration + 1, converged


@numba.njit(cache=True, parallel=True)
def _pass_messages(S, A, R, support, self_similarity, self_availability, self_responsibility, keep, take, n_threads):
    """One iteration: updates A, R and self_responsibility; returns the column sums of the positive responsibilities.

    The availabilities wait for their column sums, so they are made in the next iteration, with the row in the cache.
    The sums are taken row after row, as numpy takes them: this, and not the threads, sets the order.
    """
    n = len(S)
    rows = max(1, BLOCK_BYTES // (n * S.itemsize))
    if n_threads > 1:
        rows = n  # at the end of each block threads would wait for each other
    width = (n + n_threads - 1) // n_threads
    new_support = np.zeros_like(support)
    for top in range(0, n, rows):
        bottom = min(top + rows, n)
        for i in numba.prange(top, bottom):
            self_responsibility[i] = pass_row(
                S[i], A[i], R[i], support, self_similarity[i], self_availability[i], self_responsibility[i], keep, take
            )
        for strip in numba.prange(n_threads):
            first, last = strip * width, min((strip + 1) * width, n)
            for i in range(top, bottom):
                _add_positive(new_support[first:last], R[i, first:last])
                if first <= i < last:
                    new_support[i] += self_responsibility[i]
    return new_support


@numba.njit(cache=True)
def pass_row(
    S: np.ndarray,
    A: np.ndarray,
    R: np.ndarray,
    support: np.ndarray,
    self_similarity: float,
    self_availability: float,
    self_responsibility: float,
    keep: float,
    take: float,
) -> float:
    """One point's messages: updates its A and R, and returns its responsibility to itself.

    All arrays are over the points that it may choose, but not itself; `support` are their sums of the positive
    responsibilities of the last iteration.
    """
    best, second, at = _two_best(S, A, R, support, keep, take)
    self_affinity = self_availability + self_similarity
    if self_affinity > best:
        _update_responsibilities(R, S, self_affinity, keep, take)
    else:
        runner_up = max(second, self_affinity)
        corrected = R[at] * keep + (S[at] - runner_up) * take
        _update_responsibilities(R, S, best, keep, take)
        R[at] = corrected
    return self_responsibility * keep + (self_similarity - best) * take


@numba.njit(cache=True)
def _two_best(S, A, R, support, keep, take):
    """Updates the availabilities A, and returns the two largest A + S and the place of the first."""
    best = np.full(LANES, -np.inf, S.dtype)
    second = best.copy()
    for first in range(0, len(S), LANES):
        part = slice(first, first + LANES)
        _update_availabilities(A[part], R[part], support[part], keep, take)
        _keep_two_best(A[part], S[part], best, second)
    lane = np.argmax(best)
    top, best[lane] = best[lane], second[lane]
    for at in range(lane, len(S), LANES):
        if A[at] + S[at] == top:
            break
    return top, np.max(best), at


# Numba makes vector operations of a loop over whole slices, but not of one over offsets into a row.


@numba.njit(cache=True)
def _update_availabilities(A, R, support, keep, take):
    zero = A.dtype.type(0)
    for k in range(len(A)):
        A[k] = A[k] * keep - max(max(R[k], zero) - support[k], zero) * take


@numba.njit(cache=True)
def _keep_two_best(A, S, best, second):
    for k in range(len(A)):
        affinity = A[k] + S[k]
        second[k] = max(second[k], min(best[k], affinity))
        best[k] = max(best[k], affinity)


@numba.njit(cache=True)
def _update_responsibilities(R, S, best, keep, take):
    for k in range(len(R)):
        R[k] = R[k] * keep + (S[k] - best) * take


@numba.njit(cache=True)
def _add_positive(total, R):
    zero = R.dtype.type(0)
    for k in range(len(R)):
        total[k] += max(R[k], zero)


def _refine(S, exemplars):
    """Each community's best exemplar, and each point's nearest: what scikit-learn does with the last messages."""
    if not len(exemplars):
        return np.full(len(S), -1), exemplars
    community = _nearest(S, exemplars)
    members = [np.flatnonzero(community == k) for k in range(len(exemplars))]
    best = np.array([group[np.argmax(sum(S[i, group] for i in group))] for group in members])
    exemplars, labels = np.unique(best[_nearest(S, best)], return_inverse=True)
    return labels, exemplars


def _nearest(S, exemplars):
    community = np.array([np.argmax(row[exemplars]) for row in S])
    community[exemplars] = np.arange(len(exemplars))
    return community


def _net_similarity(S, preference, labels, exemplars):
    if not len(exemplars):
        return -np.inf
    members = np.setdiff1d(np.arange(len(S)), exemplars)
    to_exemplars = S[members, exemplars[labels[members]]].sum(dtype=float)
    return float(to_exemplars + preference[exemplars].sum(dtype=float))
