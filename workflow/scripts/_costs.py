"""What the study of a config will cost, before it begins."""

import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from _job import ROOT
from moamap.core.config import load_schema, supervised_methods
from moamap.core.costs import estimate, steps_of


def expected_costs(config: dict[str, Any], *, drugs: int, compounds: int, features: int) -> pd.DataFrame:
    """The table of `moamap.core.costs.estimate` for a study of so many drugs with a MoA, and compounds altogether."""
    methods = supervised_methods(load_schema(ROOT / "workflow/schemas"))
    supervised = {name for name, chosen in config["representations"].items() if chosen["method"] in methods}
    steps = list(steps_of(config, drugs=drugs, compounds=compounds, supervised=supervised))
    return estimate(pd.read_csv(ROOT / "resources/costs.csv"), steps, features)


def machine(output: str) -> dict[str, float]:
    """The memory of this machine, and what is free on the disk of an output, in bytes."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"memory": memory, "disk": shutil.disk_usage(Path(output).parent).free}
