"""Write what follows from the code: the schema of the representations, and the table of options in config/README.md.

.venv/bin/python docs/generate.py        (or: make schema)
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from moamap.core.config import load_schema  # noqa: E402
from moamap.representations.registry import schema as representations  # noqa: E402

SCHEMAS = ROOT / "workflow/schemas"
README = ROOT / "config/README.md"
HEADER = "# Generated from the functions of moamap.representations by `make schema`; do not edit.\n"
BEGIN, END = "<!-- options: written by `make schema` from the schema -->", "<!-- end of options -->"


def schema_text() -> str:
    """What workflow/schemas/representations.schema.yaml holds."""
    return HEADER + yaml.safe_dump(representations(), sort_keys=False, allow_unicode=True, width=118)


def table(schema: dict) -> str:
    """The options of a schema as a table of Markdown: option, default, what it is and how to choose it."""
    rows = [*rows_of(schema, "", schema)]
    place = next(number for number, (path, *_) in enumerate(rows) if path == "representations") + 1
    rows[place:place] = rows_of_methods(schema["$defs"]["representation"])
    head = "| option | default | what it is, and how to choose it |\n|---|---|---|\n"
    return head + "".join(f"| `{path}` | {default} | {text} |\n" for path, default, text in rows)


def rows_of(rule: dict, prefix: str, schema: dict) -> Iterator[tuple[str, str, str]]:
    """The options under a rule, each before its own."""
    for key, given in rule.get("properties", {}).items():
        inner = schema["$defs"][given["$ref"].split("/")[-1]] | given if "$ref" in given else given
        yield prefix + key, default_of(inner), cell(inner["description"])
        yield from rows_of(inner, f"{prefix}{key}.", schema)


def rows_of_methods(schema: dict) -> Iterator[tuple[str, str, str]]:
    """The methods of representations, then their parameters; one that several methods share is one row."""
    parameters: dict[tuple[str, str], dict[str, str]] = {}
    for branch in schema["allOf"]:
        method, then = branch["if"]["properties"]["method"]["const"], branch["then"]
        labels = "; learned from the MoAs, and so cross-fitted too" if branch["x-supervised"] else ""
        yield f"representations.NAME.method: {method}", "", cell(then["description"].rstrip(".") + labels)
        for key, rule in then["properties"].items():
            if key != "method":
                parameters.setdefault((key, rule["description"]), {})[method] = default_of(rule)
    for (key, description), defaults in parameters.items():
        by_default: dict[str, list[str]] = {}
        for method, default in defaults.items():
            by_default.setdefault(default, []).append(method)
        shown = "; ".join(f"{', '.join(methods)}: {default}" for default, methods in by_default.items())
        yield f"representations.NAME.{key}", shown, cell(description)


def default_of(rule: dict) -> str:
    """A default as YAML writes it; empty where there is none, or where the options of a section have their own."""
    if "x-default" in rule:
        return cell(rule["x-default"])
    if "default" not in rule or rule["default"] == {}:
        return ""
    written = yaml.safe_dump(rule["default"], default_flow_style=True, width=1000).removesuffix("...\n")
    return f"`{written.strip()}`"


def cell(text: str) -> str:
    """Text in a cell of a table, where | would begin the next."""
    return text.replace("|", "\\|").strip()


def readme_text(schema: dict) -> str:
    """What config/README.md holds, its table made anew."""
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n{table(schema)}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    (SCHEMAS / "representations.schema.yaml").write_text(schema_text(), encoding="utf-8")
    README.write_text(readme_text(load_schema(SCHEMAS)), encoding="utf-8")
