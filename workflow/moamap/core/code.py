"""What a result was computed by: a digest of a script and of every module of the package that it imports."""

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path


def digest(start: Path, root: Path) -> str:
    """First 16 digits of the SHA-256 of a script and all it imports of the project, or of all modules in a folder.

    Parameters
    ----------
    start : a script, or a folder of modules
    root : the folder that is on the import path: modules are `root/moamap/...`, what scripts share lies beside `start`
    """
    files = set(start.rglob("*.py")) if start.is_dir() else reached(start, root)
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return total.hexdigest()[:16]


def reached(script: Path, root: Path) -> set[Path]:
    """The script and the files of the project that it imports, directly or not."""
    found, waiting = set(), [script]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _imports(file, root)
    return found


@lru_cache
def _imports(file: Path, root: Path) -> tuple[Path, ...]:
    names = _imported_names(ast.parse(file.read_bytes()))
    return tuple(path for name in names for path in _files_of(name, (root, file.parent)))


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files_of(name: str, folders: tuple[Path, ...]) -> Iterator[Path]:
    """The module of a dotted name and each package's `__init__` on the way to it, where they are the project's."""
    parts = name.split(".")
    for folder in folders:
        for end in range(1, len(parts) + 1):
            place = folder.joinpath(*parts[:end])
            yield from (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file())
