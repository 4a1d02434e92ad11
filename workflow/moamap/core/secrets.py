"""Secrets that an address may carry, masked before it is written or printed."""

import re
from typing import Any

MASK = "***"
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY = re.compile(r"(?<=[?&;])([^=&;#\s]+)=[^&;#\s]*")


def mask_secrets(value: Any) -> Any:
    """The same value with `user:password@` and every query value masked in its addresses.

    Parameters
    ----------
    value : text, or dicts and lists of text at any depth; anything else is returned as it is
    """
    if isinstance(value, dict):
        return {key: mask_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_secrets(item) for item in value]
    if not isinstance(value, str) or "://" not in value:
        return value
    return _QUERY.sub(rf"\1={MASK}", _USER.sub(f"{MASK}@", value))
