"""How every script runs: one BLAS thread, a log, and one clear line where the input is wrong.

Inside Snakemake a script is given its job. By hand it makes one file of the study in this very process, where a
debugger can stop it:  .venv/bin/python workflow/scripts/enrich.py results/demo/raw/enrichment.csv [CONFIGFILE]
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from threadpoolctl import threadpool_limits

pd.options.mode.copy_on_write = True  # as from pandas 3 on: a renamed, cut or joined table is no copy of its numbers

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from moamap.core.errors import InputError

if hasattr(sys.modules["__main__"], "snakemake"):
    # Ctrl-C ends a job of Snakemake without a traceback; Snakemake knows that its files are not finished
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # numba reads this when it is first imported, which is after this module; Snakemake sets OMP's to the rule's threads
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))


def run(main, snakemake=None) -> None:
    """Call main(job) with the job that Snakemake gave, or that of the file named on the command line."""
    if snakemake:
        _run(main, snakemake)
        return
    try:
        with job_by_hand(*sys.argv[1:]) as job:
            _run(main, job)
    except InputError as error:
        sys.exit(f"ERROR {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _run(main, job) -> None:
    logging.raiseExceptions = False  # a full disk is said once, and not again for the log
    warnings.formatwarning = lambda message, category, *_: f"{category.__name__}: {message}"
    handlers = [logging.StreamHandler()]
    if job.log:
        handlers.append(logging.FileHandler(job.log[0], mode="w", encoding="utf-8"))
    handlers[0].setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=handlers, force=True)
    logging.captureWarnings(True)
    try:
        # the last bits of a matrix product depend on the number of BLAS threads
        with threadpool_limits(limits=1):
            main(job)
    except Exception as error:
        logging.error("%s", one_line(error, job))
        if not isinstance(error, InputError | OSError | MemoryError):
            logging.info("a fault of moamap; please report these lines", exc_info=error)  # to the log file
        sys.exit(1)


def one_line(error: Exception, job) -> str:
    """What went wrong in a job, in one line."""
    if isinstance(error, InputError):
        return " ".join(str(error).splitlines())
    if isinstance(error, OSError):  # a full disk, a folder that may not be written
        return f"{error.filename or job.output[0]}: {error.strerror or error}"
    if isinstance(error, MemoryError):
        cure = "run fewer jobs at a time (--cores 1) or use a larger machine"
        return f"not enough memory to make {job.output[0]}: {cure}"
    log = f"; the traceback is in {job.log[0]}" if job.log else ""
    return f"unexpected {type(error).__name__} in the job that makes {job.output[0]}: {str(error)[:200]!r}{log}"


@contextmanager
def job_by_hand(target: str = "", configfile: str = "config/config.yaml") -> Iterator[SimpleNamespace]:
    """The job that makes `target`, as Snakemake would hand it to the script; its inputs must be there.

    Snakemake's lock is held meanwhile, and the outputs come into place all together when the script has ended well.
    """
    from snakemake.exceptions import LockException, RuleException, WorkflowError
    from snakemake.iocontainers import Namedlist

    if not target:
        raise InputError(f"name the file to make: {sys.argv[0]} results/DATASET/... [CONFIGFILE]")
    try:
        workflow, job = _look_up(target, configfile)
        parts = {name: getattr(job, name) for name in ("input", "params", "wildcards", "log", "threads")}
        with workflow.persistence.lock(), _moved_at_the_end(list(map(Path, job.output))) as beside:
            output = Namedlist(toclone=job.output, custom_map=lambda path: str(beside[Path(path)]))
            for log in map(Path, job.log):
                log.parent.mkdir(parents=True, exist_ok=True)
            yield SimpleNamespace(**parts, output=output, config=workflow.globals["config"])
    except LockException as error:
        cure = "wait until it ends; if it was killed: snakemake --unlock, with the same --configfile"
        raise InputError(f"{target}: a run is writing into this folder; {cure}") from error
    except (RuleException, WorkflowError, FileNotFoundError) as error:
        raise InputError(f"{target}: {' '.join(str(error).split())}") from error


def _look_up(target: str, configfile: str):
    """Snakemake's workflow and the job that makes `target`."""
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
        inner._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=False)
        inner._build_dag()
    job = next(job for job in inner.dag.jobs if target in map(str, job.output))
    script = Path(job.rule.script or "").name
    if script != Path(sys.argv[0]).name:
        raise InputError(f"{target} is made by {script or 'no script'}, not by {Path(sys.argv[0]).name}")
    return inner, job


@contextmanager
def _moved_at_the_end(final: list[Path]) -> Iterator[dict[Path, Path]]:
    """For each file a place beside it, from where it is moved when all are written."""
    beside = {path: path.with_name(f".by_hand_{os.getpid()}_{path.name}") for path in final}
    try:
        for path in final:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        for path in final:
            beside[path].replace(path)
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)
