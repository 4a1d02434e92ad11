"""What the package may import and open, and what it offers under a short name."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).resolve().parents[1] / "workflow"
STAGES = ["core", "sources", "profiles", "representations", "connections", "communities", "validation", "report"]
MODULES = {
    path.relative_to(WORKFLOW / "moamap"): ast.parse(path.read_text()) for path in WORKFLOW.glob("moamap/**/*.py")
}
# core reads the config and the code, sources downloads, formats reads the tables that come in
SCIENCE = [module for module in MODULES if module.parts[0] in STAGES[2:] and module != Path("profiles/formats.py")]
OPENERS = {"open", "read_text", "write_text", "read_bytes", "write_bytes"}
OPENERS |= {f"{verb}_{form}" for verb in ("read", "to") for form in ("csv", "parquet", "excel", "hdf", "pickle")}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_stage_imports_only_from_itself_and_the_stages_above(module):
    names = [name.split(".") for name in imported(MODULES[module])]
    stage = module.parts[0] if len(module.parts) > 1 else "core"  # the package itself takes only the lazy imports
    assert {name[1] for name in names if name[0] == "moamap"} <= set(STAGES[: STAGES.index(stage) + 1])
    assert not {"snakemake", "_job", "_files", "None"} & {name[0] for name in names}  # None: a relative import


@pytest.mark.parametrize("module", SCIENCE, ids=str)
def test_science_opens_no_file(module):
    calls = [node.func for node in ast.walk(MODULES[module]) if isinstance(node, ast.Call)]
    assert not [ast.unparse(f) for f in calls if getattr(f, "attr", getattr(f, "id", "")) in OPENERS]


@pytest.mark.parametrize(
    "file", [*WORKFLOW.glob("moamap/**/*.py"), *WORKFLOW.glob("scripts/*.py")], ids=lambda f: f.stem
)
def test_the_workflow_uses_no_short_import(file):
    """A job is repeated when a module that it imports changes, and that is seen only of a module named in full."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("moamap"):
            home = WORKFLOW.joinpath(*node.module.split("."))
            modules = (
                [home.with_suffix(".py")] if not home.is_dir() else [home / f"{name.name}.py" for name in node.names]
            )
            assert all(module.is_file() for module in modules), ast.unparse(node)


@pytest.mark.parametrize("package", ["moamap", *(f"moamap.{stage}" for stage in [*STAGES, "report.figures"])])
def test_every_short_import_leads_somewhere_and_no_module_hides_it(package):
    found = import_module(package)
    modules = {path.stem for path in Path(found.__file__).parent.iterdir()}
    for name in getattr(found, "__all__", []):
        assert name not in modules
        assert getattr(found, name) is not None and name in dir(found)


def test_without_numba_all_that_needs_none_can_be_imported():
    """The environments of sources and figures have no numba."""
    code = "import sys; sys.modules['numba'] = None\n"
    code += "from moamap import core, sources, report; from moamap.report.figures import figure_1, null_figure\n"
    code += "from moamap.core import InputError, membership; from moamap.sources import download, locations"
    subprocess.run([sys.executable, "-c", code], cwd=WORKFLOW, check=True)
