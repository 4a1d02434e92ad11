"""Do new compounds, placed on a finished map, find their mechanism as the drugs of the map do?

    PYTHONPATH=workflow OMP_NUM_THREADS=1 python benchmarks/placing.py [--screens 10] [--out results/placing.csv]

In each simulated screen, maps are made from 1,105 annotated drugs, and 2,000 new compounds are placed on them, half of
which have a MoA of the table that is not told. Beside the new ones stand the drugs of the map, each against all others.
Only drugs count whose MoA has a phenotype that they show: nothing could find the others. Per representation and grade
of phenotype, all screens together:

nearest       share whose nearest drug has their true MoA
of 10         share of their ten nearest drugs that have it
community     share of the drugs in the community that they are placed in that have it
by chance     share of drugs drawn at random that would have it

Distances of the map's own drugs by ITML are in-sample. `outside` is the share that is outside what the map has seen,
also of the compounds without a mechanism and of profiles whose features have been shuffled.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from moamap.communities.clusters import find_communities
from moamap.communities.placing import Reference, distances, nearest, place
from moamap.connections.distances import pair_distances
from moamap.core.labels import membership
from moamap.profiles.normalize import apply_normalization, learn_normalization
from moamap.profiles.simulate import GRADES, simulate
from moamap.representations.registry import learn

ANNOTATED, NEW = 1105, 2000
SEED = 20210927  # of the first screen
METHODS = {"raw": {}, "pca": {"components": 5}, "itml": {"seed": 0}}
K = 10


def finished_map(drugs: pd.DataFrame, method: str, axis: str) -> Reference:
    """What a study leaves of one representation, but for the t-SNE positions."""
    features = drugs.iloc[:, 3:]
    normalization = learn_normalization(features, drugs["pert_iname"], axis=axis)
    x = apply_normalization(features, normalization)
    learned = learn(method, x, membership(drugs["moa"], "whole").to_numpy(), **METHODS[method])
    embedding = learned.transform(x)
    found = find_communities(pair_distances(embedding))
    table = pd.DataFrame({"drug": drugs["pert_iname"], "moa": drugs["moa"], "community": found.numbers, "x": 0, "y": 0})
    table["is_exemplar"] = table.index.isin(found.exemplars)
    return Reference(table, embedding, normalization, learned)


def rows_of(name: str, who: str, truth: pd.DataFrame, near: np.ndarray, community: np.ndarray, moas: pd.Series) -> list:
    """One row for each grade of phenotype: how often the MoAs of nearest drugs (n, k), and of communities (n,), fit."""
    fits = near == truth["true_moa"].to_numpy()[:, None]
    chance = truth["true_moa"].map(moas.value_counts(normalize=True)).to_numpy()
    groups = {grade: (truth["grade"] == grade).to_numpy() for grade in GRADES}
    groups["all"] = np.any([*groups.values()], axis=0)
    return [
        {"representation": name, "drugs": who, "phenotype": grade, "n": of.sum(), "nearest": fits[of, 0].mean()}
        | {"of 10": fits[of].mean(), "community": community[of].mean(), "by chance": chance[of].mean()}
        for grade, of in groups.items()
    ]


def shares(numbers: np.ndarray, own: np.ndarray, reference: Reference, *, without_self: bool) -> np.ndarray:
    """Share of the drugs of community `numbers` that have the MoA `own`; of a drug itself, of its fellows."""
    counts = pd.crosstab(reference.drugs["moa"], reference.drugs["community"])
    same = counts.reindex(own, fill_value=0).to_numpy()[np.arange(len(own)), counts.columns.get_indexer(numbers)]
    size = counts.sum().reindex(numbers).to_numpy()
    return (same - without_self) / np.maximum(size - without_self, 1)


def compare(seed: int, axis: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How often mechanisms are found in one screen, and which compounds are called outside."""
    profiles, truth = simulate(seed=seed, n_drugs=ANNOTATED + NEW, n_annotated=ANNOTATED)
    of_map, added = profiles[:ANNOTATED], profiles[ANNOTATED:].reset_index(drop=True)
    known, hidden = truth[:ANNOTATED], truth[ANNOTATED:].reset_index(drop=True)
    shuffled = added.iloc[:, 3:].set_axis(np.random.default_rng(seed).permutation(added.columns[3:]), axis=1)
    rows, outside = [], []
    for name in METHODS:
        reference = finished_map(of_map, name, axis)
        compounds = added[["pert_iname"]].rename(columns={"pert_iname": "compound"})
        placed, listed = place(compounds, added.iloc[:, 3:], reference, neighbours=K)
        near = listed["moa"].to_numpy().reshape(len(added), K)
        in_community = shares(placed["community"].to_numpy(int), hidden["true_moa"], reference, without_self=False)
        rows += rows_of(name, "new", hidden, near, in_community, of_map["moa"])

        centred = reference.embedding - reference.embedding.mean(axis=0)
        distance = distances(centred, centred)
        np.fill_diagonal(distance, np.inf)
        near = of_map["moa"].to_numpy()[nearest(distance, K)]
        in_community = shares(reference.drugs["community"], known["moa"], reference, without_self=True)
        rows += rows_of(name, "of the map", known, near, in_community, of_map["moa"])

        own = np.sort(distance.min(axis=1))
        odd, _ = place(compounds, shuffled, reference, neighbours=K)
        mechanism = hidden["true_moa"].notna().to_numpy()
        outside.append(
            {
                "representation": name,
                "of the map": (np.searchsorted(own, own) / len(own) > 0.99).mean(),
                "new, with a MoA": placed.loc[mechanism, "outside"].mean(),
                "new, without a mechanism": placed.loc[~mechanism, "outside"].mean(),
                "features shuffled": odd["outside"].mean(),
            }
        )
    return pd.DataFrame(rows), pd.DataFrame(outside)


def pooled(found: pd.DataFrame) -> pd.DataFrame:
    """The screens together, each by its number of drugs; `error` is the standard error of `nearest` over them."""
    keys, shares = ["representation", "drugs", "phenotype"], ["nearest", "of 10", "community", "by chance"]
    groups = found.assign(**{share: found[share] * found["n"] for share in shares}).groupby(keys, sort=False)
    table = groups[["n", *shares]].sum()
    table[shares] = table[shares].div(table["n"], axis=0)
    table.insert(2, "error", found.groupby(keys, sort=False)["nearest"].sem())
    return table.reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=int, default=10)
    parser.add_argument("--axis", default="profile", help="of the normalization")
    parser.add_argument("--out", type=Path, default=Path("results/placing.csv"))
    options = parser.parse_args()
    screens = [compare(SEED + number, options.axis) for number in range(options.screens)]
    found = pooled(pd.concat(found for found, _ in screens))
    outside = pd.concat(outside for _, outside in screens).groupby("representation", sort=False).mean().reset_index()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found.to_csv(options.out, index=False)
    print(found.round(3).to_string(index=False), outside.round(3).to_string(index=False), sep="\n\nshare outside:\n")


if __name__ == "__main__":
    main()
