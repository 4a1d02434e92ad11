"""Information-theoretic metric learning (Davis et al., ICML 2007), exact and fast for profiles with many features.

A Bregman projection on pair i, v_i being the difference of its profiles, is M += beta_i (M v_i)(M v_i)' (Algorithm 1 of
the paper). Other pairs see it only through the products v_i' M v_j, so the updates of a block of pairs can wait, and
then be one matrix product. With fewer pairs than features these products are all that is kept, and M is made at the end
from the duals lambda, since a projection adds a multiple of v_i v_i' to its inverse:

    M^-1 = M0^-1 + sum_i w_i v_i v_i',    w_i = lambda_i of a similar pair, -lambda_i of a dissimilar one.
"""

import functools
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Self

import numba
import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh
from scipy.linalg.blas import dsymm, dsyrk, dtrsm
from scipy.linalg.lapack import dtrtri
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.random import sample_without_replacement
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

BLOCK = 96  # pairs (or features) whose rank-one updates wait for one matrix product
LOWER = np.tri(BLOCK, dtype=bool)  # the lower triangle of a block
EPS = np.finfo(float).eps
PROBES, ROUNDING = 8, 1e-11  # random products, and their relative error, by which `_MetricOfFewPairs` is checked
SMALLEST_BOUND = 1e-9  # metric-learn's stand-in for a bound of zero


class ITML(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Mahalanobis metric nearest to a prior that brings similar pairs together and keeps dissimilar pairs apart.

    Minimizes the LogDet divergence from the prior, with d(a, b) <= low for similar and d(a, b) >= high for dissimilar
    pairs, where d is the squared distance and slack is paid for with `gamma` (Davis et al. 2007, Algorithm 1). Pairs,
    order of projections, slack and stopping rule are those of metric-learn 0.7.0, and so is the metric, but for
    rounding: less than 1e-9 (Frobenius norm, relative) wherever the rounding of metric-learn itself is well below that.
    It uses one thread of BLAS, whatever the caller's setting, so that the metric does not depend on that setting.

    Parameters
    ----------
    n_constraints : int
        That many similar *and* that many dissimilar pairs are drawn by `fit`.
    gamma : float
        Weight of the slack: small lets bounds be broken, infinite does not.
    max_iter : int
        Sweeps over all pairs after which to give up.
    tol : float
        Stops when a sweep changes the duals by less than this, relative to their norms.
    prior : 'identity', 'covariance' or array-like, shape (d, d)
        Metric to stay near to. 'covariance' is the inverse covariance of the distinct profiles in the pairs, of which
        there must be more than features.
    bounds : 'euclidean', 'squared' or (low, high)
        Bounds on the *squared* distances. 'squared': 5th and 95th percentile of the squared distances between the
        distinct profiles in the pairs. 'euclidean': of the unsquared distances, which is what metric-learn does by
        default; with many features most dissimilar pairs are then far enough apart already. 0 becomes 1e-9.
    sampling : 'metric-learn' or 'distinct'
        The draws of metric-learn's `ITML_Supervised` for the same seed, or distinct unordered pairs, each as likely.
    random_state : int, RandomState or None
        Of the draws of pairs.

    Attributes
    ----------
    components_ : ndarray, shape (d, d)
        L, upper triangular as in metric-learn. The metric is M = L'L, and `transform` gives X L'.
    pairs_ : ndarray of int, shape (n_pairs, 2)
        Rows of X in each pair learned from, the similar pairs first.
    similar_ : ndarray of bool, shape (n_pairs,)
        Whether the pair was to be brought together.
    duals_ : ndarray, shape (n_pairs,)
        The lambda of each pair, 0 or more: M^-1 = M0^-1 + sum of lambda v v' over similar - over dissimilar pairs.
    bounds_ : ndarray, shape (2,)
        Low and high bound as used, on squared distances.
    n_iter_ : int
        Sweeps done, at least 1 (metric-learn's attribute is less by one).
    converged_ : bool
        Whether `tol` was met within `max_iter` sweeps.
    n_active_ : int
        Pairs with a positive dual: those that shape the metric.
    violation_ : float
        Largest excess of a squared distance over `low`, or shortfall from `high`, as a share of the bound. With a
        finite `gamma` it stays positive at the optimum.

    References
    ----------
    Davis JV, Kulis B, Jain P, Sra S, Dhillon IS. Information-theoretic metric learning. ICML (2007).
    """

    _parameter_constraints = {  # noqa: RUF012 (the name and form that scikit-learn reads)
        "n_constraints": [Interval(Integral, 1, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="right")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "prior": [StrOptions({"identity", "covariance"}), "array-like"],
        "bounds": [StrOptions({"euclidean", "squared"}), "array-like"],
        "sampling": [StrOptions({"metric-learn", "distinct"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_constraints: int = 20,
        gamma: float = 1.0,
        max_iter: int = 1000,
        tol: float = 1e-3,
        prior: str | ArrayLike = "identity",
        bounds: str | Sequence[float] = "euclidean",
        sampling: str = "metric-learn",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_constraints = n_constraints
        self.gamma = gamma
        self.max_iter = max_iter
        self.tol = tol
        self.prior = prior
        self.bounds = bounds
        self.sampling = sampling
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from pairs drawn by class.

        Parameters
        ----------
        X : array-like, shape (n, d)
            Profiles, finite.
        y : array-like, shape (n,)
            Class of each profile. Integers below 0 mean none, as in metric-learn: such profiles are in no pair.

        Returns
        -------
        ITML
            Itself.

        Raises
        ------
        ValueError
            If no similar or no dissimilar pair exists, all pairs join identical profiles, the prior is not positive
            definite, or the bounds are not 0 < low <= high.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        pairs, similar = sample_pairs(y, self.n_constraints, self.sampling, self.random_state)
        return self._learn(X, pairs, similar, self.bounds)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_pairs(
        self, X: ArrayLike, pairs: ArrayLike, similar: ArrayLike, bounds: str | Sequence[float] | None = None
    ) -> Self:
        """Learn from given pairs.

        Parameters
        ----------
        X : array-like, shape (n, d)
            Profiles, finite.
        pairs : array-like of int, shape (n_pairs, 2)
            Rows of X.
        similar : array-like of bool, shape (n_pairs,)
            Whether the pair is to be brought together.
        bounds : optional
            Takes the place of the parameter of that name.

        Returns itself; raises ValueError as `fit` does, and if pairs or similar have the wrong shape, type or range.
        """
        profiles = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        pairs, similar = _check_pairs(pairs, similar, len(profiles))
        return self._learn(profiles, pairs, similar, self.bounds if bounds is None else bounds)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """X L', whose Euclidean distances are the learned ones: (n, d) to (n, d)."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False) @ self.components_.T

    def _learn(self, X, pairs, similar, bounds):
        with _blas().limit(limits=1):
            self.components_ = self._components(*self._prepare(X, pairs, similar, bounds))
        if not self.converged_:
            warnings.warn(f"ITML did not converge in {self.max_iter} sweeps", ConvergenceWarning, stacklevel=4)
        return self

    def _components(self, differences, prior):
        if prior is None and len(differences) < differences.shape[1]:
            products = _MetricOfFewPairs(differences)
            components = products.root(self._project(products))
            if components is not None:
                return components
        metric = _MetricOfManyPairs(differences, prior)
        self._project(metric)
        return _root(metric.matrix)

    def _prepare(self, X, pairs, similar, bounds):
        """Differences of the pairs, and the prior (None for the identity); sets pairs and bounds."""
        order = np.argsort(~similar, kind="stable")
        profiles, ends = _distinct_profiles(X, pairs[order])
        kept = _learnable(ends, similar[order])
        self.pairs_, self.similar_, ends = pairs[order][kept], similar[order][kept], ends[kept]
        self.bounds_ = _percentile_bounds(profiles, bounds) if isinstance(bounds, str) else _check_bounds(bounds)
        differences = profiles[ends[:, 0]]
        differences -= profiles[ends[:, 1]]
        return differences, _prior(profiles, self.prior)

    def _project(self, metric):
        """Algorithm 1 of the paper: returns the weights w of the pairs, and sets attributes that say how it went."""
        sign = np.where(self.similar_, 1.0, -1.0)
        limits = np.where(self.similar_, *self.bounds_)
        blocks = _blocks(0, self.similar_.sum()) + _blocks(self.similar_.sum(), len(self.similar_))
        duals, slack = np.zeros(len(sign)), limits.copy()
        for sweep in range(1, self.max_iter + 1):
            previous = duals.copy()
            for block in blocks:
                gram = metric.gram(block)
                beta = _project_block(gram, sign[block], duals[block], slack[block], float(self.gamma))
                active = np.flatnonzero(beta)
                if len(active):
                    U = _directions(metric.columns(block)[:, active], gram[np.ix_(active, active)], beta[active])
                    _add_squares(metric.matrix, U, beta[active])
            size = np.linalg.norm(duals) + np.linalg.norm(previous)
            self.n_iter_ = sweep
            self.converged_ = bool(size == 0 or np.abs(previous - duals).sum() / size < self.tol)
            if self.converged_:
                break
        squared = np.concatenate([metric.gram(block).diagonal() for block in blocks])
        self.duals_ = duals
        self.n_active_ = int(np.sum(duals > 0))
        self.violation_ = float(max(0.0, np.max(sign * (squared / limits - 1.0))))
        return sign * duals

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


@functools.cache
def _blas() -> ThreadpoolController:
    """Numpy's and scipy's BLAS. Their calls take turns here, on blocks; with two threads each they would wait for each
    other's threads, and take 40 to 70 times as long.
    """
    return ThreadpoolController().select(user_api="blas")


def sample_pairs(
    y: ArrayLike,
    n_constraints: int,
    sampling: str = "metric-learn",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw similar and dissimilar pairs by class.

    Parameters
    ----------
    y : array-like, shape (n,)
        Classes; integers below 0 mean none.
    n_constraints : int
        Number of pairs of either kind; fewer, with a warning, if there are not as many.
    sampling : 'metric-learn' or 'distinct'
        See `ITML`.
    random_state : int, RandomState or None

    Returns
    -------
    pairs : ndarray of int, shape (n_pairs, 2)
        The similar pairs first.
    similar : ndarray of bool, shape (n_pairs,)

    Raises
    ------
    ValueError
        If there is no similar or no dissimilar pair.
    """
    y = np.asarray(y)
    known = np.flatnonzero(y >= 0) if np.issubdtype(y.dtype, np.integer) else np.arange(len(y))
    labels = np.unique(y[known], return_inverse=True)[1]
    draw = {"metric-learn": _draw_as_metric_learn, "distinct": _draw_distinct}[sampling]
    rng = check_random_state(random_state)
    drawn = []
    for alike, kind, need in ((True, "similar", "a class with two profiles"), (False, "dissimilar", "two classes")):
        pairs = draw(labels, n_constraints, alike, rng)
        if len(pairs) == 0:
            raise ValueError(f"nothing can be learned: there is no {kind} pair, which takes {need}")
        if len(pairs) < n_constraints:
            warnings.warn(f"only {len(pairs)} {kind} pairs, not {n_constraints}, could be drawn", stacklevel=4)
        drawn.append(known[pairs])
    return np.vstack(drawn), np.repeat([True, False], [len(pairs) for pairs in drawn])


def _draw_as_metric_learn(labels, n_pairs, alike, rng):
    """Takes the numbers from `rng` that metric-learn's `Constraints` takes, and returns its set in the same order."""
    partners: dict[int, np.ndarray] = {}
    drawn: set[tuple[int, int]] = set()
    for _ in range(10):
        for first in rng.randint(len(labels), size=n_pairs - len(drawn)).tolist():
            label = labels[first]
            if label not in partners:
                partners[label] = np.flatnonzero((labels == label) == alike)
            others = partners[label]
            if len(others) > alike:  # a profile is no partner of its own
                pick = rng.randint(len(others) - alike)
                drawn.add((first, int(others[pick + (alike and others[pick] >= first)])))
        if len(drawn) == n_pairs:
            break
    return np.array(list(drawn), dtype=int).reshape(-1, 2)


def _draw_distinct(labels, n_pairs, alike, rng):
    """With the profiles sorted by class, the partners of each that come after it are a range: pairs can be numbered."""
    order = np.argsort(labels, kind="stable")
    here = np.arange(len(labels))
    end_of_class = np.searchsorted(labels[order], labels[order], side="right")
    first, last = (here + 1, end_of_class) if alike else (end_of_class, np.full(len(labels), len(labels)))
    numbered = np.cumsum(last - first)
    number = sample_without_replacement(numbered[-1], min(n_pairs, numbered[-1]), random_state=rng)
    left = np.searchsorted(numbered, number, side="right")
    right = last[left] - (numbered[left] - number)
    return np.column_stack([order[left], order[right]])


def _check_pairs(pairs, similar, n_profiles):
    pairs = check_array(pairs, dtype=None)
    similar = check_array(similar, dtype=None, ensure_2d=False)
    if pairs.dtype.kind not in "iu" or similar.dtype != bool:
        raise ValueError(f"pairs must be integers and similar booleans, not {pairs.dtype} and {similar.dtype}")
    if pairs.shape[1] != 2 or similar.shape != (len(pairs),):
        raise ValueError(f"pairs must be n x 2 and similar n long, not {pairs.shape} and {similar.shape}")
    if pairs.min() < 0 or pairs.max() >= n_profiles:
        raise ValueError(f"pairs must be rows of X, 0 to {n_profiles - 1}")
    return pairs, similar


def _distinct_profiles(X, pairs):
    """The distinct profiles in the pairs, and which of them each pair joins."""
    used, ends = np.unique(pairs, return_inverse=True)
    seen: dict[bytes, int] = {}
    place = np.array([seen.setdefault((X[row] + 0.0).tobytes(), len(seen)) for row in used])  # -0.0 + 0.0 is 0.0
    first = np.unique(place, return_index=True)[1]
    return X[used[first]], place[ends].reshape(-1, 2)


def _learnable(ends, similar):
    """Pairs to keep: no metric takes identical profiles apart."""
    identical = ends[:, 0] == ends[:, 1]
    if identical.all():
        raise ValueError("nothing can be learned: every pair joins identical profiles")
    lost = identical & ~similar
    if lost.any():
        warnings.warn(f"dropped {lost.sum()} dissimilar pairs that join identical profiles", stacklevel=6)
    return ~lost


def _check_bounds(bounds):
    limits = check_array(bounds, dtype=np.float64, ensure_2d=False).ravel()
    if limits.size != 2 or not 0 < limits[0] <= limits[1]:
        raise ValueError(f"bounds must be two numbers, 0 < low <= high, not {bounds}")
    return limits


def _percentile_bounds(profiles, bounds):
    distances = _squared_distances(dsyrk(1.0, profiles.T, trans=1, lower=1))
    if bounds == "euclidean":
        np.sqrt(distances, out=distances)
    limits = _percentiles(distances, len(profiles))
    if limits[0] == 0:
        warnings.warn(f"with {len(profiles)} distinct profiles the 5th percentile is 0: low bound 1e-9", stacklevel=6)
    return np.where(limits == 0, SMALLEST_BOUND, limits)


def _percentiles(distances, n):
    """5th and 95th percentile of the n x n matrix of n zeros, and each of the distances twice; reorders these."""
    position = np.array([0.05, 0.95]) * (n * n - 1)
    below = np.floor(position).astype(int)
    rank = (np.stack([below, below + 1]) - n) // 2  # among the distances; negative for a zero of the diagonal
    distances.partition(np.unique(rank.clip(0)))
    low, high = np.where(rank < 0, 0.0, distances[rank.clip(0)])
    return low + (high - low) * (position - below)


def _prior(profiles, prior):
    if isinstance(prior, str) and prior == "identity":
        return None
    if isinstance(prior, str):
        profiles = np.unique(profiles, axis=0)  # in this order metric-learn rounds the covariance
        values, vectors = eigh(np.atleast_2d(np.cov(profiles, rowvar=False)))
        matrix = (vectors / values) @ vectors.T if _is_definite(values) else None
    else:
        matrix = check_array(prior, dtype=np.float64)
        if matrix.shape != (profiles.shape[1],) * 2 or not np.allclose(matrix, matrix.T):
            raise ValueError(f"the prior must be symmetric and {profiles.shape[1]} x {profiles.shape[1]}")
        matrix = matrix if _is_definite(np.linalg.eigvalsh(matrix)) else None
    if matrix is None:
        size = f"{len(profiles)} profiles, {profiles.shape[1]} features"
        raise ValueError(f"the prior is not positive definite ({size})")
    return matrix


def _is_definite(values):
    return values[0] > values[-1] * len(values) * EPS


def _blocks(start, stop):
    return [slice(first, min(first + BLOCK, stop)) for first in range(start, stop, BLOCK)]


class _MetricOfFewPairs:
    """The products V M V' of the differences V, fewer than features; the prior is the identity. Lower triangle."""

    def __init__(self, differences):
        self.differences = differences
        self.matrix = dsyrk(1.0, differences.T, trans=1, lower=1)

    def gram(self, pairs):
        """Products among the pairs of a block, upper triangle: (block, block)."""
        return np.ascontiguousarray(self.matrix[pairs, pairs].T)

    def columns(self, pairs):
        """Products of all pairs with those of a block: (n_pairs, block)."""
        lower = self.matrix[pairs, pairs]
        square = np.where(LOWER[: len(lower), : len(lower)], lower, lower.T)
        return np.vstack([self.matrix[pairs, : pairs.start].T, square, self.matrix[pairs.stop :, pairs]])

    def root(self, weights):
        """L, or None where the duals have lost digits of M: it has to give back the products that were kept."""
        V, active = self.differences, weights != 0
        try:
            U = _root_of_inverse(V[active], weights[active])
        except np.linalg.LinAlgError:
            return None
        squared = self.matrix.diagonal()
        probes = np.random.default_rng(0).choice([-1.0, 1.0], (PROBES, len(V)))
        probes[:, squared > 0] /= np.sqrt(squared[squared > 0])
        kept = np.sum(probes.T * dsymm(1.0, self.matrix, probes.T, lower=1), axis=0)
        made = np.square(probes @ V @ U.T).sum(axis=1)
        return U if np.allclose(made, kept, rtol=ROUNDING, atol=0) else None


class _MetricOfManyPairs:
    """M itself. Lower triangle."""

    def __init__(self, differences, prior):
        self.differences = differences
        self.matrix = np.array(np.eye(differences.shape[1]) if prior is None else prior, order="F")

    def gram(self, pairs):
        """Products V M V' among the pairs of a block: (block, block)."""
        V = self.differences[pairs]
        self.products = dsymm(1.0, self.matrix, V.T, lower=1)
        return V @ self.products

    def columns(self, pairs):
        """M V' of the block that `gram` was asked for last: (n_features, block)."""
        return self.products


@numba.njit(cache=True, error_model="numpy")
def _project_block(gram, sign, duals, slack, gamma):
    """Project on the constraints of a block in turn; returns the beta of each update M += beta M v v' M.

    `gram` holds v_i' M v_j at the start and is brought up to date as M changes, but row i of its upper triangle stays
    as it was at the turn of pair i. `duals` and `slack` (the xi of the paper) are updated.
    """
    beta = np.zeros(len(sign))
    step = 1.0 if np.isinf(gamma) else gamma / (gamma + 1.0)
    for i in range(len(sign)):
        distance = gram[i, i]
        if distance <= 0.0:  # identical profiles, similar: nothing to bring together
            continue
        alpha = min(duals[i], sign[i] * step * (1.0 / distance - 1.0 / slack[i]))
        if alpha == 0.0:
            continue
        duals[i] -= alpha
        slack[i] = 1.0 / (1.0 / slack[i] + sign[i] * alpha / gamma)
        beta[i] = sign[i] * alpha / (1.0 - sign[i] * alpha * distance)
        for j in range(i + 1, len(sign)):
            factor = beta[i] * gram[i, j]
            for k in range(j, len(sign)):
                gram[j, k] += factor * gram[i, k]
    return beta


def _directions(columns, gram, beta):
    """u_i = M v_i at the turn of pair i, from M v_i before the block: u_j = M v_j + sum_{i<j} u_i beta_i gram_ij."""
    triangle = np.eye(len(beta)) - beta[:, None] * np.triu(gram, 1)
    return dtrsm(1.0, triangle, columns, side=1)


def _add_squares(matrix, U, weights):
    """matrix += U diag(weights) U', on the lower triangle and in place."""
    U = U * np.sqrt(np.abs(weights))
    for sign in (1.0, -1.0):
        part = U[:, np.sign(weights) == sign]
        if part.shape[1]:
            dsyrk(sign, part, beta=1.0, c=matrix, lower=1, overwrite_c=1)


def _root(M):
    """L with L'L = M, from the lower triangle of M: upper triangular, or by eigenvectors if M is singular."""
    if np.isfinite(M).all():
        try:
            return np.linalg.cholesky(M).T
        except np.linalg.LinAlgError:
            values, vectors = eigh(M)
            if values[0] > -values[-1] * len(values) * EPS:
                return (vectors * np.sqrt(values.clip(0))).T
    raise ValueError("rounding has made the metric indefinite: bounds too far apart, or contradictory with this gamma")


def _root_of_inverse(V, weights):
    """Upper triangular U with U'U = (I + V' diag(weights) V)^-1.

    With few pairs by blocks of features, from the last to the first: B = (diag(weights)^-1 + sum of v v' over the
    features done)^-1 holds what these say about the others, so that no d x d matrix is factorized.
    """
    k, d = V.shape
    if 2 * k >= d:
        S = np.eye(d, order="F")
        _add_squares(S, V.T, weights)
        return _inverse_root(S)
    U, B = np.zeros((d, d)), np.diag(weights)
    for start in reversed(range(0, d, BLOCK)):
        here, done = slice(start, start + BLOCK), slice(start + BLOCK, None)
        BV = B @ V[:, here]
        U[here, here] = _inverse_root(np.eye(BV.shape[1]) + V[:, here].T @ BV)
        W = U[here, here] @ BV.T
        np.matmul(-W, V[:, done], out=U[here, done])
        B -= W.T @ W
    return U


def _inverse_root(S):
    """Upper triangular U with U'U = S^-1, from the lower triangle of S: read backwards, U^-1 is its Cholesky factor."""
    backwards = np.linalg.cholesky(S.T[::-1, ::-1])
    return dtrtri(backwards, lower=1)[0][::-1, ::-1]


@numba.njit(cache=True)
def _squared_distances(K):
    """Of all pairs of profiles, from the lower triangle of their Gram matrix."""
    half = np.empty(len(K) * (len(K) - 1) // 2)
    place = 0
    for j in range(len(K)):
        for i in range(j + 1, len(K)):
            half[place] = max(0.0, K[i, i] + K[j, j] - 2.0 * K[i, j])
            place += 1
    return half
