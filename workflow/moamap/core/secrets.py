"""Passwords and access tokens in URLs, which no file or log of a study may show."""

import re
from typing import Any
from urllib.parse import unquote

MASK = "***"
SECRET = re.compile(r"token|key|secret|pass|pwd|sig|auth|cred|session", re.IGNORECASE)
USER = re.compile(r"(?<=://)[^\s/?#\"<>]*@")
# a value ends where a URL does: a quotation mark only counts if nothing of a URL follows it
QUERY = re.compile(r"(?<=[?&#;])([\w.%~\[\]-]+)=((?:[^\s&#\"<>']|'(?=[\w%]))+)")


def mask_secrets(value: Any) -> Any:
    """A copy of a string, list, tuple or dict in which `user:password@` and secret query values of URLs are `***`.

    A query value is secret if its name suggests it: `token`, `key`, `signature`, `X-Amz-Credential` and the like. Other
    values are returned as they are.
    """
    if isinstance(value, str):
        return QUERY.sub(_mask_query, USER.sub(f"{MASK}@", value))
    if isinstance(value, dict):
        return {key: mask_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mask_secrets(inner) for inner in value)
    return value


def _mask_query(found: re.Match) -> str:
    name, given = found.groups()
    return f"{name}={MASK if SECRET.search(unquote(name)) else given}"
