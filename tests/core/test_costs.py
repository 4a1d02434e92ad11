from itertools import product

import pandas as pd
import pytest

from moamap.core.costs import COSTS, SUPERVISED, check_fits, cost_lines, estimate, fit, size_of, steps_of
from moamap.core.errors import InputError

CONFIG = {
    "representations": {"raw": {}, "itml": {}},
    "unannotated": "place",
    "connections": "all",
    "validation": "quick",
}
CONFIG["communities"] = {"engine": "auto"}
ROOMY = {"memory": 1e12, "disk": 1e13}


def steps(drugs=1000, compounds=3000, **changes):
    return list(steps_of(CONFIG | changes, drugs=drugs, compounds=compounds, supervised={"itml"}))


def jobs(rows, features, seconds, memory, disk, step):
    return {"step": step, "rows": rows, "features": features, "seconds": seconds, "memory_mb": memory, "disk_mb": disk}


def measured():
    """Jobs whose costs are known: by pairs of drugs, by drugs, and by values."""
    sizes = list(product([100, 1000, 5000], [10, 800]))
    found = [jobs(n, d, 2 + 1e-5 * n * (n - 1) / 2, 300 + 1e-4 * n * (n - 1) / 2, 0, "connect") for n, d in sizes]
    found += [jobs(n, d, 1 + 3e-3 * n, 250, 1e-3 * n, "tsne") for n, d in sizes]
    return pd.DataFrame(found + [jobs(n, d, 0.5, 200 + 8e-6 * n * d, 4e-6 * n * d, "read") for n, d in sizes])


def test_fit_finds_the_costs_that_jobs_were_made_by():
    found = fit(measured()).set_index(["step", "cost"])
    expected = {("connect", "seconds"): (2, 1e-5), ("connect", "memory_mb"): (300, 1e-4)}
    expected |= {("tsne", "seconds"): (1, 3e-3), ("tsne", "memory_mb"): (250, 0), ("read", "seconds"): (0.5, 0)}
    expected |= {("read", "memory_mb"): (200, 8e-6), ("read", "disk_mb"): (0, 4e-6)}
    for place, (fixed, each) in expected.items():
        assert found.loc[place].tolist() == pytest.approx([fixed, each], rel=1e-6, abs=1e-9), place


def test_estimate_by_hand():
    known = fit(measured())
    two_maps = [step for step in steps(drugs=2000) if step.name in ("connect", "read")]
    found = estimate(known, two_maps, features=500).set_index("step")
    assert found.loc["connect", ["rows", "jobs"]].tolist() == [2000, 2]
    assert found.loc["connect", "seconds"] == pytest.approx(2 * (2 + 1e-5 * 1_999_000))  # of both jobs
    assert found.loc["connect", "memory_mb"] == pytest.approx(300 + 1e-4 * 1_999_000)  # of one
    assert found.loc["read", "rows"] == 3000 and found.loc["read", "disk_mb"] == pytest.approx(4e-6 * 3000 * 500)


def test_steps_follow_the_config():
    counted = {step.name: step.jobs for step in steps()}
    assert counted["represent"] == counted["represent" + SUPERVISED] == counted["crossfit"] == 1
    assert counted["connect"] == counted["communities"] == 2
    assert "connect" not in {step.name for step in steps(connections="none")}
    assert "communities (sparse)" in {step.name for step in steps(connections="none")}
    assert "permute" not in {step.name for step in steps(validation="off")}
    everyone = [step for step in steps(drugs=1000, compounds=30_000, unannotated="cluster") if step.rows == 30_000]
    assert {"neighbours", "connect", "communities (sparse)", "tsne"} <= {step.name for step in everyone}
    assert not {"permute", "perturb", "supplement"} & {step.name for step in everyone}  # validation is of the annotated


def table(step, rows, memory_mb=1.0, disk_mb=1.0):
    return pd.DataFrame([(step, rows, 1, 1.0, memory_mb, disk_mb)], columns=["step", "rows", "jobs", *COSTS])


@pytest.mark.parametrize(("expected", "machine", "said"), [
    (table("communities", 20_000, memory_mb=9000), {"memory": 8e9}, "9.0 GB of memory, and there are 8.0 GB; set `"),
    (table("permute", 20_000, memory_mb=9000), {"memory": 8e9}, 'set `validation: "off"`'),
    (table("tsne", 20_000, memory_mb=9000), {"memory": 8e9}, "8.0 GB; use a larger machine"),
    (table("connect", 20_000, disk_mb=5000), {"disk": 4e9}, "5.0 GB of disk, and 4.0 GB are free"),
    (table("connect", 30_000), {}, "all pairs of 30,000 drugs would be 450,000,000 rows"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_with_advice(expected, machine, said):
    with pytest.raises(InputError) as error:
        check_fits(expected, CONFIG, **ROOMY | machine)
    assert said in str(error.value)
    if machine:
        check_fits(expected, CONFIG, **ROOMY)


def test_lines_for_people():
    lines = dict(cost_lines(estimate(fit(measured()), steps(drugs=2000), features=500)))
    assert lines["expected on one core"].endswith("of disk (memory of the largest job)")
    assert lines["  connect"].startswith("2 jobs, 2,000 drugs: 44 s, 0.5 GB of memory")


def test_sizes():
    assert size_of("connect", 1105, 812) == 609_960
    assert size_of("permute" + SUPERVISED, 1105, 812) == 609_960
    assert (size_of("tsne", 1105, 812), size_of("read", 1105, 812)) == (1105, 1105 * 812)
