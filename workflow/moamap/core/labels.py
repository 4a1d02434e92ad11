"""Labels: which drug has which MoA, which drugs share one, and how drugs are assigned to folds by them."""

import unicodedata
from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

ENOUGH = 10  # similar pairs: with fewer in any training set, `folds_to_learn_from` looks for better folds


def membership(moa: pd.Series, policy: str) -> pd.DataFrame:
    """Drug x MoA table of booleans, columns sorted: `whole` takes a MoA string as one label, `split` cuts it at `|`.

    Spaces around the parts do not count, and an empty part (`a||b`, `|a`) is no MoA.
    """
    labels = moa.map(parts) if policy == "split" else moa.map(lambda label: [label])
    drugs = np.repeat(np.arange(len(moa)), labels.map(len))
    long = pd.Series([label for several in labels for label in several], dtype=object)
    place, names = pd.factorize(long, sort=True)
    table = np.zeros((len(moa), len(names)), dtype=bool)
    table[drugs[place >= 0], place[place >= 0]] = True
    return pd.DataFrame(table, index=moa.index, columns=pd.Index(names, name=moa.name)).rename_axis(None)


def parts(label: str) -> list[str]:
    """The MoAs of a label that names several, separated by `|`."""
    return [part.strip() for part in label.split("|") if part.strip()]


def lookalikes(labels: Iterable[str]) -> list[list[str]]:
    """Groups of labels that look alike, each group and the groups sorted: they differ only in case, spaces, characters
    without a shape (a zero-width space) or the form of Unicode (an accent as a character of its own, as on a Mac).
    """
    groups: dict[str, set[str]] = {}
    for label in labels:
        folded = unicodedata.normalize("NFKC", label).casefold()
        seen = "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf")
        groups.setdefault(seen, set()).add(label)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def sharing(moas: np.ndarray) -> np.ndarray:
    """Which drugs share a MoA: (n, n_moas) booleans -> (n, n) booleans."""
    if (moas.sum(axis=1) == 1).all():
        label = moas.argmax(axis=1)
        return label[:, None] == label
    return moas.astype(np.float32) @ moas.T.astype(np.float32) > 0


def members(moas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """np.nonzero, of a (n, n_moas) table in many times less: the drug and the MoA of every True, by drug."""
    return np.divmod(np.flatnonzero(moas), moas.shape[1])


def pairs_that_share(moas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of drugs that share a MoA, each both ways: (n, n_moas) booleans -> first (n_pairs,), second (n_pairs,).

    As `sharing`, in a list: few pairs share a MoA. In no order, and each once, however many MoAs they share.
    """
    drug, moa = members(moas)
    by_moa = np.argsort(moa, kind="stable")
    drug, sizes = drug[by_moa], np.bincount(moa, minlength=moas.shape[1])
    partners = np.repeat(sizes, sizes)  # of each member of each MoA, itself included
    first = np.repeat(drug, partners)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)  # of the MoA's members
    nth = np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
    second = drug[np.repeat(start, partners) + nth]
    first, second = first[first != second], second[first != second]
    if len(drug) > len(moas):  # a drug of several MoAs
        first, second = np.divmod(np.unique(first * len(moas) + second), len(moas))
    return first, second


def label_sets(moas: np.ndarray) -> np.ndarray:
    """A number for each drug's set of MoAs, equal where the sets are: (n, n_moas) booleans -> (n,)."""
    packed = np.ascontiguousarray(
        np.packbits(moas, axis=1)
    )  # whose bytes sort as the booleans do, in a hundredth of the time
    return np.unique(packed.view(f"S{packed.shape[1]}").ravel(), return_inverse=True)[1]


def folds_by_moa(labels: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Assign the drugs to folds, those of one label set as evenly as possible: (n,) label sets -> (n,) folds."""
    shuffled = rng.permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    folds = np.empty(len(labels), dtype=int)
    folds[order] = (np.arange(len(labels)) + rng.integers(n_folds)) % n_folds
    return folds


def moa_groups(moas: np.ndarray) -> np.ndarray:
    """A number for each drug, equal where a chain of drugs that share a MoA joins them: (n, n_moas) booleans -> (n,).

    Where every drug has one MoA these are the MoAs. It belongs to the MoAs and goes with them when labels are permuted.
    """
    from scipy.sparse.csgraph import connected_components  # late: few scripts need it

    together = moas.T.astype(np.float32) @ moas.astype(np.float32) > 0
    return connected_components(together, directed=False)[1][moas.argmax(axis=1)]


def folds_of_moas(groups: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Assign whole groups (of `moa_groups`) to folds of about equal size, the largest first: (n,) -> (n,) folds.

    No MoA is then in two folds.
    """
    sizes = np.bincount(groups)
    fold_of, filled = np.empty(len(sizes), dtype=int), np.zeros(n_folds, dtype=int)
    shuffled = rng.permutation(len(sizes))
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    return fold_of[groups]


def folds_to_learn_from(labels: np.ndarray, moas: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Folds of which any two can be left out and something remains to be learned, as far as that is possible.

    `folds_by_moa`, unless a training set that leaves out two folds would keep fewer than `ENOUGH` pairs of drugs that
    share a MoA, as where most MoAs have two drugs. Then label sets that are too small to keep a pair in every training
    set stay in one fold each, if that leaves more. The choice depends on the sizes of the label sets and on `rng`, so
    it is the same for every permutation of the labels.

    Parameters
    ----------
    labels : (n,) label sets as `label_sets` gives them
    moas : (n, n_moas) booleans

    Returns
    -------
    (n,) folds
    """
    even = folds_by_moa(labels, n_folds, rng)
    if fewest_similar_pairs(even, moas) >= ENOUGH:
        return even
    undivided = folds_of_undivided_small_sets(labels, n_folds, rng)
    return max((even, undivided), key=lambda folds: fewest_similar_pairs(folds, moas))


def fewest_similar_pairs(folds: np.ndarray, moas: np.ndarray) -> int:
    """Pairs of drugs that share a MoA (counted once per MoA) in the training set, of all that leave out two of the
    folds, that has the fewest: (n,) folds, (n, n_moas) booleans.
    """
    inside = folds[:, None] == np.arange(folds.max() + 1)
    counts = inside.T.astype(np.float32) @ moas.astype(np.float32)
    total = counts.sum(axis=0)
    kept = np.array([total - counts[a] - counts[b] for a, b in combinations(range(len(counts)), 2)])
    return int((kept * (kept - 1) / 2).sum(axis=1).min(initial=np.inf if len(kept) else 0))


def folds_of_undivided_small_sets(labels: np.ndarray, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Each small label set in one fold, the others as `folds_by_moa`: (n,) label sets -> (n,) folds.

    A set is small if fewer than two of its drugs might remain without two folds that it was evenly assigned to.
    """
    sizes = np.bincount(labels)
    remaining = sizes - -(-sizes // n_folds) - -(-(sizes - 1) // n_folds)  # without the two fullest folds
    small = np.isin(labels, np.flatnonzero((sizes > 1) & (remaining < 2)))
    folds = np.empty(len(labels), dtype=int)
    folds[small] = folds_of_moas(np.unique(labels[small], return_inverse=True)[1], n_folds, rng)
    folds[~small] = folds_by_moa(labels[~small], n_folds, rng)
    return folds
