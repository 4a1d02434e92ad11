from moamap.core import code
from moamap.core.code import digest, reached


def project(root):
    """A script that imports a.b, which imports c beside the script; d is imported by nobody."""
    for file, text in {
        "moamap/__init__.py": "",
        "moamap/a/__init__.py": "",
        "moamap/a/b.py": "import json\n\ndef late():\n    from moamap.a import e\n",
        "moamap/a/e.py": "",
        "moamap/a/d.py": "",
        "scripts/c.py": "",
        "scripts/run.py": "import c\nfrom moamap.a.b import late\n",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return root / "scripts/run.py"


def test_all_that_is_imported_of_the_project_is_reached_and_nothing_else(tmp_path):
    found = {str(file.relative_to(tmp_path)) for file in reached(project(tmp_path), tmp_path)}
    packages = {"moamap/__init__.py", "moamap/a/__init__.py"}
    assert found == packages | {"scripts/run.py", "scripts/c.py", "moamap/a/b.py", "moamap/a/e.py"}


def test_the_digest_changes_with_what_is_imported_only(tmp_path):
    before = digest(project(tmp_path), tmp_path)
    (tmp_path / "moamap/a/d.py").write_text("1\n")
    assert digest(tmp_path / "scripts/run.py", tmp_path) == before
    (tmp_path / "moamap/a/e.py").write_text("1\n")
    code._imports.cache_clear()
    assert digest(tmp_path / "scripts/run.py", tmp_path) != before
