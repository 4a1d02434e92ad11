"""How every script runs: one BLAS thread, a log, and one clear line where the input is wrong.

Inside Snakemake a script is given its job. By hand it makes one file of the study in this very process, where a
debugger can stop it:  .venv/bin/python workflow/scripts/enrich.py results/demo/raw/enrichment.csv [CONFIGFILE]
"""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from moamap.core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def run(main, snakemake=None) -> None:
    """Call main(job) with the job that Snakemake gave, or that of the file named on the command line."""
    logging.raiseExceptions = False  # a full disk is said once, and not again for the log
    job = snakemake or job_by_hand(*sys.argv[1:])
    handlers = [logging.StreamHandler()]
    if job.log:
        handlers.append(logging.FileHandler(job.log[0], mode="w"))
    handlers[0].setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=handlers, force=True)
    logging.captureWarnings(True)
    try:
        # the last bits of a matrix product depend on the number of BLAS threads
        with threadpool_limits(limits=1):
            main(job)
    except InputError as error:
        logging.error(error)
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that may not be written
        logging.error("%s: %s", error.filename or job.output[0], error.strerror or error)
        sys.exit(1)


def job_by_hand(target: str, configfile: str = "config/config.yaml"):
    """The job that makes `target`, as Snakemake would hand it to the script; its inputs must be there."""
    from snakemake.api import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings, SnakemakeApi
    from snakemake.settings.enums import Quietness

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[Path(configfile)]),
            snakefile=ROOT / "Snakefile",
        )
        # snakemake's public interface runs jobs but does not hand them out
        inner = workflow.dag(DAGSettings(targets={target}, forcetargets=True)).workflow_api._workflow
        inner._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
        inner._build_dag()
        job = next(job for job in inner.dag.jobs if target in map(str, job.output))
        parts = {name: getattr(job, name) for name in ("input", "output", "params", "wildcards", "log")}
        return SimpleNamespace(**parts, config=inner.globals["config"])
