"""A simulated screen and its truth."""

from _files import write_table
from _job import run
from moamap.profiles.simulate import simulate, simulate_wells


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
