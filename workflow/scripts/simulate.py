"""A simulated screen and its truth."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.simulate import simulate
from scripts.files import write_table
from scripts.job import run


def simulate_screen(job) -> None:
    profiles, truth = simulate(**job.params.simulation)
    write_table(profiles, job.output.profiles, simulated=False)
    write_table(truth, job.output.truth, simulated=True)


if __name__ == "__main__":
    run(simulate_screen, globals().get("snakemake"))
