"""The error of an extrapolation from as many drugs as the data set has, on a simulated screen of the paper's size."""

from _files import read_index, read_table, write_table
from _job import run
from moamap.core.labels import membership
from moamap.profiles.simulate import simulate
from moamap.validation.readings import calibration_errors_of_screen


def calibrate_readings(job) -> None:
    n_drugs = len(read_index(job.input.index))
    published = read_table(job.input.published).set_index("quantity")["published"]
    screen = int(job.wildcards.screen)
    profiles, _ = simulate(seed=screen, n_drugs=int(published["drugs"]))
    moas = membership(profiles["moa"], "whole")
    errors = calibration_errors_of_screen(profiles.iloc[:, 3:], moas, n_drugs, grid=job.params.grid, seed=screen)
    write_table(errors.assign(screen=screen), job.output[0], simulated=True)


if __name__ == "__main__":
    run(calibrate_readings, globals().get("snakemake"))
