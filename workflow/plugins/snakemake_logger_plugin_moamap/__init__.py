"""Snakemake's events as JSON, one a line, in a pipe: what `workflow/run.py` makes its page from.

Snakemake finds a logger plugin by the name of its package on PYTHONPATH, and takes it with `--logger moamap`.
"""

import json
import os
import signal
from dataclasses import dataclass, field

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

FIELDS = ("jobid", "job_id", "rule_name", "wildcards", "log", "done", "total", "exception")


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """`--logger-moamap-pipe` and `--logger-moamap-reader`."""

    pipe: int = field(default=1, metadata={"help": "File descriptor that the events go to.", "type": int})
    reader: int = field(default=0, metadata={"help": "Process that reads the events.", "type": int})


class LogHandler(LogHandlerBase):
    """Writes each record of Snakemake's log as one line of JSON."""

    writes_to_stream = True  # in place of what Snakemake would print
    writes_to_file = False
    has_filter = False
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        os.set_inheritable(self.settings.pipe, False)

    def emit(self, record) -> None:
        """Write one event; a reader that is gone ends the run as Ctrl-C does."""
        event = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        event |= {"event": str(getattr(record, "event", None) or ""), "message": record.getMessage()}
        event |= {"total": record.stats["total"]} if hasattr(record, "stats") else {}
        try:
            os.write(self.settings.pipe, (json.dumps(event, default=str) + "\n").encode())
        except BrokenPipeError:
            os.kill(os.getpid(), signal.SIGINT)
