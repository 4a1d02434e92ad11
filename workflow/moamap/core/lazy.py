"""Short imports that cost nothing until they are used."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def short_imports(
    package: str, home: dict[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """A package's `__getattr__`, `__dir__` and `__all__`: each public name is imported when it is first asked for.

    An environment without numba can then import every module that does not need it.

    Parameters
    ----------
    package : the package's `__name__`
    home : public name -> the module of the package that defines it. No public name may be that of a module of the
        package: importing the module would hide the function.
    """

    def get(name: str) -> Any:
        """The object of that name, from its module; raises AttributeError where the package has none."""
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return get, lambda: sorted({*vars(sys.modules[package]), *home}), list(home)
