"""Jobs that a SLURM queue will never start: each is said with SLURM's reason, and cancelled, so that the run ends.

Snakemake waits for a pending job for ever, whatever reason the queue gives.
"""

import subprocess
import threading
import time
from pathlib import Path

from snakemake.logging import logger

# not the reasons that pass: Priority, Resources, limits of how much a user may run at a time, nodes that are down
NEVER = {"PartitionTimeLimit", "PartitionNodeLimit", "BadConstraints", "InvalidAccount", "InvalidQOS"}
PENDING = ["squeue", "--me", "--noheader", "--states=PENDING", "--format=%i|%r|%l|%P|%k|%Z"]
EVERY = 30.0  # seconds


def watch(workflow) -> None:
    """Look at the queue now and then while a run uses the SLURM executor; what a Snakefile calls in `onstart`."""
    if workflow.executor_plugin.name == "slurm":
        threading.Thread(target=_look, args=(str(Path(workflow.workdir_init)),), daemon=True).start()


def _look(folder: str) -> None:
    while True:
        time.sleep(EVERY)
        found = subprocess.run(PENDING, capture_output=True, text=True)
        for job, message in stuck(found.stdout, folder).items():
            logger.error(message)
            subprocess.run(["scancel", job])


def stuck(queue: str, folder: str) -> dict[str, str]:
    """The jobs of this run that will never start, with what to say of each.

    Parameters
    ----------
    queue : what `PENDING` prints: a line for each job
    folder : where the run was started; jobs of other folders are not its own
    """
    found = {}
    for line in queue.splitlines():
        job, reason, asked, partition, name, place = line.split("|", maxsplit=5)
        if reason in NEVER and name.startswith("rule_") and place == folder:
            found[job] = (
                f"SLURM will never start job {job} ({name}): {reason}. It asks for {asked} in partition {partition} "
                "and is cancelled. Name another partition (--default-resources slurm_partition=...) or ask for less "
                "time (--set-resources RULE:runtime=MINUTES)"
            )
    return found
