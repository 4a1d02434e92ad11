"""Does any representation find mechanisms better than the raw profile does, honestly? The tables of docs/findings.md.

    PYTHONPATH=workflow OMP_NUM_THREADS=1 python benchmarks/findings.py [--permutations 99] CONFIG_OR_PROFILES...

Each argument is a study's config, or a normalized.parquet. Writes results/findings/NAME.csv and, where docs/findings.md
has a place for NAME, the table there.

With --study only the representations of the config are scored, beside RCA and LDA, from results/NAME/profiles/,
which is to be made first (snakemake --cores 2 results/NAME/profiles/normalized.parquet --configfile CONFIG). Writes
results/findings/NAME_study.csv and, in docs/findings.md, the place `study of NAME`.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.linalg import eigh
from scipy.spatial.distance import squareform

import discarded
from discarded import itml_select
from moamap.core.config import learns_from_wells, load_schema, profiles_read, supervised_methods, with_defaults
from moamap.core.labels import folds_by_moa, label_sets, membership, sharing
from moamap.core.names import ID_COLUMNS
from moamap.core.numerics import squared_euclidean
from moamap.representations import alternatives as alt
from moamap.representations.base import Chain, Learned, normal_scores, unit_rows
from moamap.representations.paper import itml, pca, raw
from moamap.representations.wells import wells_of
from moamap.validation.crossfit import crossfit
from moamap.validation.nulls import permutation, upper_p
from moamap.validation.procedure import Procedure, procedure_of
from moamap.validation.retrieval import average_precision, rank

ROOT = Path(__file__).resolve().parents[1]
N_FOLDS, N_SPLITS, N_RESAMPLES, SEED = 4, 2, 10_000, 0


# --- what is tried ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Attempt:
    """A learner (x, moas) -> Learned on z-scores or normal scores of the features."""

    learner: Callable[..., Learned]
    normal: bool
    supervised: bool


@dataclass(frozen=True)
class LocallyScaled(Learned):
    """d^2 / (s_i s_j), s the distance to the 7th neighbour (Zelnik-Manor and Perona 2004): against hubs."""

    def squared_distances(self, x, base):
        squared = squared_euclidean(unit_rows(self.transform(x)))
        s = np.sqrt(np.sort(squared, axis=1)[:, 7])
        return squared / np.outer(s, s)


@dataclass(frozen=True)
class Diffused(LocallyScaled):
    """Ranking on the manifold (Zhou et al. 2004): F = (I - 0.9 S)^-1, S the normalized affinity; distance max F - F."""

    def squared_distances(self, x, base):
        affinity = np.exp(-super().squared_distances(x, base))
        affinity[affinity < np.sort(affinity, axis=1)[:, -11:-10]] = 0  # the ten nearest and itself
        affinity = np.maximum(affinity, affinity.T)
        np.fill_diagonal(affinity, 0)
        root = np.sqrt(affinity.sum(axis=1))
        flow = np.linalg.inv(np.eye(len(x)) - 0.9 * affinity / np.outer(root, root))
        return flow.max() - flow


@dataclass(frozen=True)
class Blend(Learned):
    """The mean of several maps' squared distances, each divided by its median."""

    parts: tuple = ()

    def squared_distances(self, x, base):
        squared = [part.squared_distances(x, base) for part in self.parts]
        return sum(one / np.median(squareform(one, checks=False)) for one in squared) / len(squared)


def of_centred(x, components, unit=True):
    return alt.chain(components, x.mean(axis=0), None, unit)


def correlation(x, moas):
    d = x.shape[1]
    return Chain(np.eye(d) - 1 / d, centre=np.zeros(d), unit=True)


def locally_scaled(x, moas):
    return LocallyScaled(np.eye(x.shape[1]))


def diffused(x, moas):
    return Diffused(np.eye(x.shape[1]))


def half_whitened(x, moas):
    """Principal components times variance^-1/4: halfway from the profile to whitening."""
    axes = alt.principal_axes(x - x.mean(axis=0), 300)
    return of_centred(x, axes / np.sqrt((x @ axes.T).std(axis=0))[:, None])


def without_leading(x, moas, number):
    """The profile less its leading principal components, taken for harm and density."""
    axes = alt.principal_axes(x - x.mean(axis=0), number)
    return of_centred(x, np.eye(x.shape[1]) - axes.T @ axes)


def _scatter(x, moas, pca):
    centred = x - x.mean(axis=0)
    axes = alt.principal_axes(centred, pca)
    rows, classes = alt.classes_of(moas)
    return axes, *alt.scatter(centred[rows] @ axes.T, classes)


def rca_toward_total(x, moas):
    """L = ((S_w + S_t) / 2 shrunk by half)^-1/2: what varies within MoAs is only half believed."""
    axes, within, total = _scatter(x, moas, 100)
    return of_centred(x, alt.inverse_root(alt.shrunk((within + total) / 2, 0.5)) @ axes)


def plda(x, moas):
    """Discriminants scaled by psi / (1 + psi), the posterior mean of a drug's class (Ioffe 2006); psi = S_b / S_w."""
    axes, within, total = _scatter(x, moas, 100)
    values, vectors = eigh(total - within, alt.shrunk(within, 0.5))
    psi = values.clip(0)
    return of_centred(x, (psi / (1 + psi))[:, None] * (vectors.T @ axes))


def ridge(x, moas):
    """Ridge regression on the MoAs' indicators, each divided by the root of its drugs; the predictions embed."""
    centred = x - x.mean(axis=0)
    axes = alt.principal_axes(centred, 200)
    scores = centred @ axes.T
    targets = moas[:, moas.sum(axis=0) > 1].astype(float)
    targets = (targets - targets.mean(axis=0)) / np.sqrt(targets.sum(axis=0))
    weights = np.linalg.solve(alt.shrunk(scores.T @ scores / len(x), 0.5), scores.T @ targets)
    return of_centred(x, weights.T @ axes)


def blend(x, moas):
    parts = discarded.direct(x, moas, warp=None, cosine=True), alt.lda(x, moas, cosine=True)
    return Blend(np.eye(1), {}, parts)


def plain(x, moas, cosine=False):
    return discarded.direct(x, moas, warp=None, cosine=cosine)


def _lda(**parameters):
    return partial(alt.lda, cosine=True, **parameters)


CHOSEN = "ITML, its pairs and slack chosen in nested folds"
ATTEMPTS = {  # all were laid down before any was scored
    "raw": Attempt(raw, False, False),
    "PCA, 95% of the variance": Attempt(pca, False, False),
    "cosine": Attempt(partial(plain, cosine=True), False, False),
    "correlation": Attempt(correlation, False, False),
    "normal scores": Attempt(plain, True, False),
    "normal scores, cosine": Attempt(partial(plain, cosine=True), True, False),
    **{
        f"normal scores, spherized (shrinkage {s}), cosine": Attempt(
            partial(alt.spherize, shrinkage=s, cosine=True), True, False
        )
        for s in (0.1, 0.5, 0.9)
    },
    "normal scores, half whitened, cosine": Attempt(half_whitened, True, False),
    "normal scores without PC 1, cosine": Attempt(partial(without_leading, number=1), True, False),
    "normal scores without PC 1-3, cosine": Attempt(partial(without_leading, number=3), True, False),
    "normal scores, cosine, local scaling": Attempt(locally_scaled, True, False),
    "normal scores, cosine, diffused": Attempt(diffused, True, False),
    "ITML as in the paper": Attempt(itml, False, True),
    "ITML (PCA 100, normal scores, squared bounds, 50 pairs)": Attempt(
        partial(discarded.itml_pca, n_constraints=50), True, True
    ),
    "ITML (the same, shrunken inverse covariance for prior)": Attempt(
        partial(discarded.itml_pca, n_constraints=50, shrinkage=0.5), True, True
    ),
    "RCA (PCA 100, normal scores, shrinkage 0.5), cosine": Attempt(partial(alt.rca, cosine=True), True, True),
    "RCA toward the total covariance, cosine": Attempt(rca_toward_total, True, True),
    "LDA (PCA 100, normal scores, shrinkage 0.5, 20 axes), cosine": Attempt(_lda(), True, True),
    "LDA (PCA 100, shrinkage 0.9, 20 axes), cosine": Attempt(_lda(shrinkage=0.9), True, True),
    "LDA (PCA 200, shrinkage 0.8, 50 axes), cosine": Attempt(_lda(pca=200, shrinkage=0.8, components=50), True, True),
    "PLDA scaling (PCA 100), cosine": Attempt(plda, True, True),
    "NCA (PCA 50, 20 axes)": Attempt(discarded.nca, True, True),
    "ridge regression on the MoAs, cosine": Attempt(ridge, True, True),
    "mean of normal scores, cosine and LDA, cosine": Attempt(blend, True, True),
    # added after a first look, at which RCA led: what whitening alone does, and RCA's neighbours
    "normal scores, spherized (PCA 100, shrinkage 0.5), cosine": Attempt(
        partial(alt.spherize, pca=100, cosine=True), True, False
    ),
    "normal scores, spherized (PCA 100, shrinkage 0.9), cosine": Attempt(
        partial(alt.spherize, pca=100, shrinkage=0.9, cosine=True), True, False
    ),
    "RCA (PCA 100, shrinkage 0.9), cosine": Attempt(partial(alt.rca, shrinkage=0.9, cosine=True), True, True),
    "RCA (PCA 200, shrinkage 0.5), cosine": Attempt(partial(alt.rca, pca=200, cosine=True), True, True),
    # added last, and scored beside its references only (--only)
    CHOSEN: Attempt(itml_select, False, True),
}

REFERENCES = {"raw": "raw", "whitening": "normal scores, spherized (PCA 100, shrinkage 0.5), cosine"}


# --- how it is scored ------------------------------------------------------------------------------------------------

WAYS = ("cross-fitted", "held-out drugs")


@dataclass(frozen=True)
class Scores:
    """Average precision and 1-NN hit: (n_ways, 2, 1 + B, n), in the order of the labels; labelling 0 is the truth."""

    values: np.ndarray

    def mean(self, way, measure):
        return np.nanmean(self.values[way, measure], axis=-1)

    def excess(self, way):
        """Average precision less its mean over the permutations, for each drug with a fellow: (m,)."""
        ap = self.values[way, 0]
        ap = ap[:, ~np.isnan(ap[0])]
        return ap[0] - ap[1:].mean(axis=0)


def held_out_rankings(x, moas, folds, learner, base):
    for fold in range(N_FOLDS):
        learned = learner(x[folds != fold], moas[folds != fold])
        squared = learned.squared_distances(x, base)
        yield rank(squared, np.flatnonzero(folds == fold), np.arange(len(x)))


def rankings_of(x, moas, learner, base):
    """The two ways' rankings, for one labelling."""
    labels, rng = label_sets(moas), np.random.default_rng(SEED)
    folds = np.array([folds_by_moa(labels, N_FOLDS, rng) for _ in range(N_SPLITS)])
    everyone = np.arange(len(x))
    squared = crossfit(x, moas, learner, folds, base)
    return [rank(squared, everyone, everyone)], list(held_out_rankings(x, moas, folds[0], learner, base))


def score(x: np.ndarray, moas: np.ndarray, attempt: Attempt, n_permutations: int) -> Scores:
    """All scores of an attempt, on the true labels and on each permutation of them."""
    base, everyone = squared_euclidean(x), np.arange(len(x))
    if not attempt.supervised:
        fixed = [rank(attempt.learner(x, None).squared_distances(x, base), everyone, everyone)]
    values = np.empty((len(WAYS), 2, 1 + n_permutations, len(x)))
    for number in range(1 + n_permutations):
        order = permutation(len(x), SEED, number)
        permuted = moas[order]
        shared = sharing(permuted)
        ways = rankings_of(x, permuted, attempt.learner, base) if attempt.supervised else (fixed, fixed)
        for way, rankings in enumerate(ways):
            for ranking in rankings:
                values[way, :, number, order[ranking.queries]] = np.transpose(average_precision(ranking, shared))
    return Scores(values)


def resampled(differences: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Means of (k, m) differences over the drugs of resampled MoAs: (N_RESAMPLES, k)."""
    member = np.eye(classes.max() + 1)[classes]
    n_classes = member.shape[1]
    weights = np.random.default_rng(SEED).multinomial(n_classes, np.full(n_classes, 1 / n_classes), N_RESAMPLES)
    return weights @ (member.T @ differences.T) / (weights @ member.sum(axis=0))[:, None]


def without_best_moa(differences: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Mean differences, each without the MoA that adds most to it: (k, m) -> (k,)."""
    member = np.eye(classes.max() + 1)[classes]
    sums = differences @ member
    best = sums.argmax(axis=1)
    return (sums.sum(axis=1) - sums.max(axis=1)) / (len(classes) - member.sum(axis=0)[best])


def best_of_all(means: np.ndarray) -> tuple[int, float]:
    """The attempt that stands out most from its permutations, and its p among the best of each permutation.

    Max T (Westfall and Young 1993): (k, 1 + B) -> number, p. Truth and permutations are standardized as one sample.
    """
    t = (means - means.mean(axis=1, keepdims=True)) / means.std(axis=1, keepdims=True)
    best = t.max(axis=0)
    return int(t[:, 0].argmax()), upper_p(best[0], best[1:])


def best_against_chance(differences: np.ndarray, drawn: np.ndarray) -> tuple[int, float]:
    """The attempt most clearly ahead of raw, against the best that resampling gives (White's reality check, 2000).

    Parameters
    ----------
    differences : (k, m) of each attempt and drug
    drawn : (N_RESAMPLES, k) their `resampled` means

    Returns
    -------
    best, p : the attempt of the greatest studentized difference, and how often chance makes the greatest as great
    """
    observed, error = differences.mean(axis=1), drawn.std(axis=0)
    chance = ((drawn - observed) / error).max(axis=1)
    best = int((observed / error).argmax())
    return best, upper_p((observed / error)[best], chance)


# --- tables ----------------------------------------------------------------------------------------------------------


def scored_drugs(moas: np.ndarray) -> np.ndarray:
    """The label sets, as numbers from 0, of the drugs that share a MoA with another: (m,)."""
    return np.unique(label_sets(moas)[sharing(moas).sum(axis=1) > 1], return_inverse=True)[1]


def table_of(scores: dict[str, Scores], moas: np.ndarray, way: int) -> tuple[pd.DataFrame, str]:
    """A row for each attempt; and what holds of the best of all, in a sentence."""
    names, classes = list(scores), scored_drugs(moas)
    means, hits = (np.array([held.mean(way, measure) for held in scores.values()]) for measure in (0, 1))
    excess = np.array([held.excess(way) for held in scores.values()])
    null = means[:, 1:].mean(axis=1)
    columns = {
        "way": WAYS[way],
        "attempt": names,
        "uses_labels": [ATTEMPTS[name].supervised for name in names],
        "map": means[:, 0],
        "null_mean": null,
        "lift": means[:, 0] / null,
        "p_value": [upper_p(row[0], row[1:]) for row in means],
        "nn_accuracy": hits[:, 0],
        "nn_null_mean": hits[:, 1:].mean(axis=1),
    }
    for reference, title in REFERENCES.items():
        against = excess - excess[names.index(title)]
        low, high = np.quantile(resampled(against, classes), (0.025, 0.975), axis=0)
        columns |= {f"to_{reference}": against.mean(axis=1), f"{reference}_low": low, f"{reference}_high": high}
    to_raw = excess[1:] - excess[0]
    columns["to_raw_without_best_moa"] = [0.0, *without_best_moa(to_raw, classes)]
    best, p_best = best_of_all(means)
    ahead, p_ahead = best_against_chance(to_raw, resampled(to_raw, classes))
    sentence = (
        f"{WAYS[way].capitalize()}: *{names[best]}* stands out most from permuted labels "
        f"(best-of-{len(names)} p = {p_best:.2g}); *{names[1 + ahead]}* is most clearly ahead of raw "
        f"(best-of-{len(names) - 1} p = {p_ahead:.2g})."
    )
    return pd.DataFrame(columns), sentence


def markdown(table: pd.DataFrame) -> list[str]:
    """One way's table: attempts without labels are the same in every way, and stand in the first only."""
    head = ["attempt", "mAP", "permuted", "lift", "p", "to raw [95% CI]", "without best MoA", "to whitening [95% CI]"]
    lines = ["", f"**{table['way'].iloc[0].capitalize()}**", ""]
    lines += [f"| {' | '.join([*head, '1-NN (permuted)'])} |", "|---" * (len(head) + 1) + "|"]
    for row in table[table["uses_labels"] | (table["way"] == WAYS[0])].itertuples():
        cells = [row.attempt, f"{row.map:.4f}", f"{row.null_mean:.4f}", f"{row.lift:.2f}", f"{row.p_value:.2g}"]
        cells += [f"{row.to_raw:+.4f} [{row.raw_low:+.4f}, {row.raw_high:+.4f}]", f"{row.to_raw_without_best_moa:+.4f}"]
        cells += [f"{row.to_whitening:+.4f} [{row.whitening_low:+.4f}, {row.whitening_high:+.4f}]"]
        lines.append(f"| {' | '.join([*cells, f'{row.nn_accuracy:.3f} ({row.nn_null_mean:.3f})'])} |")
    return lines


def write_into(document: Path, name: str, text: str) -> None:
    """Put the text where the document keeps a place for it: between <!-- NAME --> and <!-- end NAME -->."""
    begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    old = document.read_text() if document.exists() else ""
    if begin in old:
        before, rest = old.split(begin)
        document.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def study(argument: Path) -> tuple[str, np.ndarray, np.ndarray]:
    """Name, profiles and MoA table of a config's study, or of a normalized.parquet."""
    policy = "whole"
    if argument.suffix in (".yaml", ".yml"):
        config = yaml.safe_load(argument.read_text())
        policy = config.get("moa", policy)
        argument = ROOT / "results" / config["dataset"] / "profiles" / "normalized.parquet"
    drugs = pd.read_parquet(argument)
    x = drugs.drop(columns=ID_COLUMNS).select_dtypes("number").to_numpy(float)
    return argument.resolve().parents[1].name, x, membership(drugs["moa"], policy).to_numpy()


def scores_of(name: str, x: np.ndarray, moas: np.ndarray, n_permutations: int, titles) -> dict[str, Scores]:
    """The attempts' scores, each told as it comes."""
    profiles = {False: x, True: normal_scores(x, np.sort(x, axis=0))}
    scores = {}
    for title in titles:
        attempt = ATTEMPTS[title]
        start = time.perf_counter()
        scores[title] = score(profiles[attempt.normal], moas, attempt, n_permutations)
        maps = [scores[title].mean(way, 0) for way in range(len(WAYS))]
        told = ", ".join(f"{held[0]:.4f} (permuted {held[1:].mean():.4f})" for held in maps)
        print(f"{name}: {title}: {told}; {time.perf_counter() - start:.0f} s", flush=True)
    return scores


# --- the representations of a study ----------------------------------------------------------------------------------

BESIDE = {  # supervised, with whitening's parameters
    "rca": {"method": "rca", "pca": 100, "shrinkage": 0.5, "cosine": True},
    "lda": {"method": "lda", "pca": 100, "shrinkage": 0.5, "cosine": True},
}
SUPERVISED_PERMUTATIONS = 19  # each is learned anew; only their mean is used
COMPARED = ("raw", "whitened")  # what lifts are set beside; the comparison of these two was named beforehand


@dataclass(frozen=True)
class Row(Learned):
    """A map of drugs named by their rows, so that what learns from wells can leave out those of held-out drugs."""

    inner: Learned = field(kw_only=True)
    x: np.ndarray = field(kw_only=True)

    def squared_distances(self, x, base):
        return self.inner.squared_distances(self.x[x[:, 0]], base)


def crossfitted_by_row(procedure: Procedure, moas: np.ndarray) -> np.ndarray:
    """Cross-fitted squared distances, of what learns from labels or wells: (n, n)."""

    def learner(rows: np.ndarray, labels: np.ndarray) -> Learned:
        part = procedure.of(rows[:, 0])
        return Row(np.eye(1), inner=part.learn(part.x, labels), x=procedure.x)

    folds = procedure.folds(label_sets(moas), moas)
    return crossfit(np.arange(len(moas))[:, None], moas, learner, folds, procedure.base)


def excess_of(procedure: Procedure, moas: np.ndarray, n_permutations: int) -> tuple[np.ndarray, np.ndarray]:
    """Average precision on the true labels, and its mean over permutations, of each drug with a fellow: two of (m,)."""
    everyone = np.arange(len(moas))
    learns = procedure.supervised or procedure.wells is not None
    fixed = None
    if not procedure.supervised:
        squared = crossfitted_by_row(procedure, moas) if learns else procedure.in_sample(moas)
        fixed = rank(squared, everyone, everyone)
    found = []
    for number in range(1 + (SUPERVISED_PERMUTATIONS if procedure.supervised else n_permutations)):
        order = permutation(len(moas), SEED, number)
        ranking = fixed or rank(crossfitted_by_row(procedure, moas[order]), everyone, everyone)
        scores = np.empty(len(moas))
        scores[order] = average_precision(ranking, sharing(moas[order]))[0]
        found.append(scores)
    kept = ~np.isnan(found[0])
    return found[0][kept], np.mean(found[1:], axis=0)[kept]


def study_table(config: Path, n_permutations: int) -> tuple[str, pd.DataFrame]:
    """The representations of a study: lift, which is mAP less its permuted mean, and its ratio to that of others.

    The intervals are paired: MoAs are resampled, and both lifts are of the same drugs.
    """
    schema = load_schema(ROOT / "workflow/schemas")
    given = with_defaults(yaml.safe_load(config.read_text(encoding="utf-8")), schema)
    folder = ROOT / "results" / given["dataset"] / "profiles"
    names = pd.read_csv(folder / "normalization.csv", keep_default_na=False).query("problem == ''")["feature"]
    scores = {}
    for name, representation in (given["representations"] | BESIDE).items():
        drugs = pd.read_parquet(folder / f"{profiles_read(representation, schema)}.parquet")
        wells = None
        if learns_from_wells(representation, schema):
            wells = wells_of(pd.read_parquet(folder / "wells.parquet"), drugs["pert_id"], names)
        options = {"representation": representation, "policy": given["moa"], "crossfit": given["crossfit"]}
        moas, procedure = procedure_of(drugs["moa"], drugs[names], wells, **options)
        scores[name] = excess_of(procedure, moas, n_permutations)
        print(f"{given['dataset']}: {name}: mAP {scores[name][0].mean():.4f}", flush=True)
    lifts = np.array([found - permuted for found, permuted in scores.values()])
    drawn = resampled(lifts, scored_drugs(moas))
    table = pd.DataFrame({"representation": list(scores), "map": [found.mean() for found, _ in scores.values()]})
    table["permuted"] = [permuted.mean() for _, permuted in scores.values()]
    table["lift"] = lifts.mean(axis=1)
    for other in COMPARED:
        place = list(scores).index(other)
        table[f"to_{other}"] = table["lift"] / table["lift"][place]
        low, high = np.quantile(drawn / drawn[:, [place]], (0.025, 0.975), axis=0)
        table[f"to_{other}_low"], table[f"to_{other}_high"] = low, high
    supervised = supervised_methods(schema)
    learned = (given["representations"] | BESIDE).values()
    ways = ["labels" if one["method"] in supervised else "wells" * learns_from_wells(one, schema) for one in learned]
    table.insert(1, "crossfitted", ways)
    return given["dataset"], table


def study_markdown(table: pd.DataFrame) -> str:
    """The table of `study_table` in Markdown."""
    head = ["representation", "cross-fitted, as it learns from", "mAP", "permuted"]
    head += [f"lift to {other}'s [95% CI]" for other in COMPARED]
    lines = [f"| {' | '.join(head)} |"]
    lines.append("|---" * 6 + "|")
    for row in table.itertuples():
        cells = [row.representation, row.crossfitted, f"{row.map:.4f}", f"{row.permuted:.4f}"]
        cells += [f"{row.to_raw:.2f} [{row.to_raw_low:.2f}, {row.to_raw_high:.2f}]"]
        cells += [f"{row.to_whitened:.2f} [{row.to_whitened_low:.2f}, {row.to_whitened_high:.2f}]"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+", type=Path)
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument(
        "--only", nargs="+", choices=ATTEMPTS, help="beside the references; the document stays as it is"
    )
    parser.add_argument("--study", action="store_true", help="only the representations of the configs")
    options = parser.parse_args()
    if options.study:
        (ROOT / "results" / "findings").mkdir(parents=True, exist_ok=True)
        for argument in options.studies:
            name, table = study_table(argument, options.permutations)
            table.to_csv(ROOT / "results" / "findings" / f"{name}_study.csv", index=False)
            print(study_markdown(table))
            write_into(ROOT / "docs" / "findings.md", f"study of {name}", study_markdown(table))
        return
    only = options.only and {*options.only, *REFERENCES.values()}
    titles = [title for title in ATTEMPTS if (title in only if only else title != CHOSEN)]
    folder = ROOT / "results" / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    for argument in options.studies:
        name, x, moas = study(argument)
        scores = scores_of(name, x, moas, options.permutations, titles)
        found, sentences = zip(*(table_of(scores, moas, way) for way in range(len(WAYS))), strict=True)
        pd.concat(found).to_csv(folder / f"{name}{'_only' if only else ''}.csv", index=False)
        classes = scored_drugs(moas)
        head = f"{len(x)} drugs, {len(classes)} of them with a fellow of their MoA ({classes.max() + 1} MoAs); "
        head += f"{options.permutations} permutations."
        lines = [head, *(line for table in found for line in markdown(table)), ""]
        text = "\n".join(lines + [f"- {sentence}" for sentence in sentences])
        print(text)
        if not only:
            write_into(ROOT / "docs" / "findings.md", name, text)


if __name__ == "__main__":
    main()
