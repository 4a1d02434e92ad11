"""A simulated screen and its truth."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.simulate import simulate, simulate_wells
from scripts.files import write_table
from scripts.job import run


def simulate_screen(job) -> None:
    options = dict(job.params.simulation)
    wells = options.pop("wells", None)
    profiles, truth = simulate(**options)
    if wells is not None:
        profiles = simulate_wells(profiles, seed=options["seed"], **wells)
    write_table(profiles, job.output.profiles, simulated=False)
    write_table(truth, job.output.truth, simulated=True)


if __name__ == "__main__":
    run(simulate_screen, globals().get("snakemake"))
