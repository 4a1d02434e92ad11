"""The one exception that is meant for the user."""


class InputError(ValueError):
    """The input is wrong: one line that says which file, which column or row, and what was expected."""
