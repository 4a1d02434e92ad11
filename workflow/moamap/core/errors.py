"""The one exception that is meant for the user."""

from collections.abc import Iterable


class InputError(ValueError):
    """The input is wrong: one line that says which file, which column or row, and what was expected."""


def raise_first(problems: Iterable[str]) -> None:
    """Raise InputError with the first of the problems, if there is one."""
    for problem in problems:
        raise InputError(problem)
