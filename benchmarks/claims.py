"""How often does the verdict make each of its claims where there is no mechanism to find, and where there is?

    python benchmarks/claims.py [--screens 200] [--jobs 2] [--permutations 999] [--out results/calibration]

Simulated screens of 150 drugs x 40 features, scored as the study scores a representation that uses no labels:

none            no phenotype; MoAs mean nothing
by plate        no phenotype; two thirds of a MoA's drugs are on one of eight plates, each of which has an effect
by strength     no phenotype; the drugs of a MoA are about equally strong
weak, medium, strong    a third of the common MoAs have a phenotype

A claim at 0.05 should be made on one screen in twenty of the first kind. How often it is made on the second and third
is what a permutation of all labels cannot see; within quintiles of strength it should see the third. On the others it
is the power. Writes claims.csv: rate and its Clopper-Pearson 95% interval.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config
from scipy.stats import binomtest

from moamap.core.labels import membership
from moamap.core.names import ENRICHED_BY_TWO, LABEL_FREE, RETRIEVAL, WITHIN
from moamap.core.numerics import stream
from moamap.profiles.normalize import normalize
from moamap.profiles.simulate import simulate
from moamap.validation.gathering import strata_of, strength
from moamap.validation.nulls import by_moa, retrieval_by_moa, upper_p
from moamap.validation.procedure import Procedure, score_permutation

LEVEL, MIN_DRUGS, PLATES, PLATE_EFFECT = 0.05, 5, 8, 2.0
SIZE = {"n_drugs": 150, "n_moas": 50, "n_common_moas": 10, "largest_moa": 20, "n_features": 40}
SIGNALS = {"none": 0.0, "by plate": 0.0, "by strength": 0.0, "weak": 0.5, "medium": 1.0, "strong": 2.0}
QUANTITIES = [*WITHIN, *WITHIN.values(), ENRICHED_BY_TWO, *RETRIEVAL]


def screen(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Profiles on the raw scale (150, 40) and MoAs (150,)."""
    profiles, _ = simulate(seed=seed, signal=SIGNALS[kind], **SIZE)
    x, moa, rng = profiles.iloc[:, 3:].to_numpy(), profiles["moa"].to_numpy(), stream(seed, "confounder")
    if kind == "by plate":
        numbers = np.unique(moa, return_inverse=True)[1]
        home = rng.integers(PLATES, size=numbers.max() + 1)[numbers]
        plate = np.where(rng.random(len(x)) < 2 / 3, home, rng.integers(PLATES, size=len(x)))
        spread = np.median(np.abs(x - np.median(x, axis=0)), axis=0)
        x = x + PLATE_EFFECT * spread * rng.standard_normal((PLATES, x.shape[1]))[plate]
    if kind == "by strength":
        by_strength = np.argsort(strength(x) * np.exp(0.1 * rng.standard_normal(len(x))), kind="stable")
        one_after_another = np.concatenate([np.flatnonzero(moa == name) for name in rng.permutation(np.unique(moa))])
        moa = moa[one_after_another][np.argsort(by_strength)]
    return x, moa


def claims(kind: str, seed: int, n_permutations: int) -> dict[str, bool]:
    """Which claims are made of a screen."""
    x, moa = screen(kind, seed)
    moas = membership(pd.Series(moa), "whole").to_numpy()
    tested = moas.sum(axis=0) >= MIN_DRUGS
    procedure = Procedure(normalize(x, x.mean(axis=0), x.var(axis=0)), tested, "raw", seed=seed)
    strata = strata_of(strength(x))
    scores = [score_permutation(procedure, moas, strata, number)[LABEL_FREE] for number in range(1 + n_permutations)]
    drawn = {name: np.array([score[name] for score in scores], float) for name in scores[0]}
    made = {name: upper_p(drawn[name][0], drawn[name][1:]) <= LEVEL for name in QUANTITIES}
    smallest, precision = drawn["smallest_p"], drawn["map_by_moa"][:, tested]
    made["any MoA gathered (step-down p)"] = (
        by_moa(range(tested.sum()), smallest[0], smallest[1:])["p_adjusted"] <= LEVEL
    ).any()
    retrieved = retrieval_by_moa(range(tested.sum()), precision[0], precision[1:])
    made["any MoA retrievable (q)"] = (retrieved["q_value"] <= LEVEL).any()
    return {name: bool(value) for name, value in made.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=int, default=200, help="of each kind (default 200)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--permutations", type=int, default=999, help="of the labels, each screen (default 999)")
    parser.add_argument("--out", type=Path, default=Path("results/calibration"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = [(kind, seed) for kind in SIGNALS for seed in range(1, 1 + options.screens)]
    with parallel_config("loky", n_jobs=options.jobs, inner_max_num_threads=1):
        made = Parallel()(delayed(claims)(*task, options.permutations) for task in tasks)
    decisions = pd.DataFrame(made).assign(screens=[kind for kind, _ in tasks])
    rows = []
    for kind, mine in decisions.groupby("screens", sort=False):
        for claim in mine.columns.drop("screens"):
            interval = binomtest(int(mine[claim].sum()), len(mine)).proportion_ci(method="exact")
            row = {"screens": kind, "claim": claim, "number": len(mine), "rate": mine[claim].mean()}
            rows.append(row | {"low": interval.low, "high": interval.high, "data": "simulated"})
    table = pd.DataFrame(rows)
    table.to_csv(options.out / "claims.csv", index=False)
    print(table.pivot(index="claim", columns="screens", values="rate")[list(SIGNALS)].round(3).to_string())


if __name__ == "__main__":
    main()
