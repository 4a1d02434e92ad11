"""Rule communities with each engine, on files as the rules before it write them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from _files import read_json, read_table, write_connections, write_neighbours, write_table
from communities import communities
from moamap.communities.clusters import Options
from moamap.connections.blocks import connections, embedded, strips
from moamap.connections.tally import neighbours_of, tally
from moamap.core.errors import InputError

N = 150


@pytest.fixture
def job(tmp_path):
    """A job that may read all pairs, as of the raw profiles; `of` gives it other options and files."""
    pairwise = embedded(np.random.default_rng(0).normal(size=(N, 6)))
    found = tally(pairwise, strips(N))
    names = [f"drug {i:03d}" for i in range(N)]
    index = pd.DataFrame({"index": range(N), "pert_id": names, "pert_iname": names, "moa": "a"})
    files = {name: str(tmp_path / name) for name in ("index.parquet", "connections.parquet", "neighbours.parquet")}
    write_table(index, files["index.parquet"], simulated=False)
    write_neighbours(neighbours_of(found), files["neighbours.parquet"], simulated=False)
    every = connections(pairwise, strips(N), found.values, found.counts)
    write_connections(every, files["connections.parquet"], simulated=False)
    np.savez(tmp_path / "distribution.npz", values=found.values, counts=found.counts)

    def of(engine, connections=True, distribution=True):
        read = SimpleNamespace(
            index=files["index.parquet"],
            neighbours=files["neighbours.parquet"],
            connections=[files["connections.parquet"]] * connections,
            distribution=[str(tmp_path / "distribution.npz")] * distribution,
        )
        written = SimpleNamespace(communities=str(tmp_path / "out.csv"), notes=str(tmp_path / "out.json"))
        options = SimpleNamespace(communities=vars(Options(engine=engine)))
        return SimpleNamespace(input=read, output=written, params=options, threads=1, config={})

    return of


def run(job):
    communities(job)
    return read_table(job.output.communities), read_json(job.output.notes)


@pytest.mark.parametrize(
    ("engine", "files", "used"),
    [
        ("auto", {}, "dense"),
        ("auto", {"connections": False}, "sparse"),
        ("sparse", {}, "sparse"),
        ("sparse", {"distribution": False}, "sparse"),
        ("louvain", {"connections": False}, "louvain"),
    ],
)
def test_each_engine_reads_what_there_is(job, engine, files, used):
    table, notes = run(job(engine, **files))
    assert list(table) == ["drug", "moa", "community", "is_exemplar"] and len(table) == N
    assert (table[table["is_exemplar"]]["community"].sort_values() == range(1, table["community"].max() + 1)).all()
    assert notes["engine"] == used and notes["converged"]
    own = {"resolution", "modularity"} if used == "louvain" else {"preference", "damping", "iterations"}
    assert own < set(notes)


def test_the_preference_is_that_of_all_pairs_wherever_it_is_read_from(job):
    preferences = [run(job("sparse", **files))[1]["preference"] for files in ({}, {"distribution": False})]
    assert preferences[0] == pytest.approx(preferences[1], rel=1e-7)
    assert preferences[0] == pytest.approx(run(job("dense"))[1]["preference"], rel=0.02)


def test_dense_without_all_pairs_is_said(job):
    with pytest.raises(InputError, match="connections: none"):
        communities(job("dense", connections=False))
