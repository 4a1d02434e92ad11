"""The one exception that is meant for the user."""


class InputError(ValueError):
    """The input is wrong. One line says which file, which column or row, what was expected, and the cure."""
