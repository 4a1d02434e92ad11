"""Print how far a run meets the paper's published numbers: what `make paper` ends with.

    .venv/bin/python workflow/report_card.py results/lincs/reproduction.csv

The exit code is 0 if at least one number was compared and none is a FAIL, else 1.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from page import printable

VERDICTS = ("PASS", "FLAG", "FAIL")
COLUMNS = ("quantity", "description", "published", "reproduced", "verdict", "reason")


def main(arguments: list[str] | None = None) -> int:
    """Print the card of a reproduction.csv."""
    (path,) = arguments or sys.argv[1:] or ["results/lincs/reproduction.csv"]
    try:
        rows = read(Path(path))
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        print(f"Error: {path}: {reason}; run the study again")
        return 1
    for line in card(rows):
        print(printable(line))
    return exit_code(rows)


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a reproduction.csv; ValueError where it is another table, or its last row is cut off."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or any(row.get(column) is None for row in rows for column in COLUMNS):
        raise ValueError(f"expected rows of {', '.join(COLUMNS)}")
    return rows


def card(rows: list[dict[str, str]]) -> list[str]:
    """The number of each verdict, then every FAIL and FLAG with both numbers and the reason."""
    counts = dict.fromkeys(VERDICTS, 0) | Counter(row["verdict"] for row in rows)
    lines = [f"Published numbers: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}"]
    differing = sorted((row for row in rows if row["verdict"] in ("FAIL", "FLAG")), key=lambda row: row["verdict"])
    if differing:
        lines.append(f"  {'':4}  {'published':>10}  {'this run':>10}")
    for row in differing:
        published, reproduced = map(short, (row["published"], row["reproduced"]))
        lines.append(f"  {row['verdict']}  {published:>10}  {reproduced:>10}  {row['description']}: {row['reason']}")
    if not counts["PASS"] + counts["FLAG"] + counts["FAIL"]:
        lines.append(f"No number could be compared: {rows[0]['reason']}")
    return lines


def exit_code(rows: list[dict[str, str]]) -> int:
    """0 if a number was compared and none is a FAIL."""
    found = {row["verdict"] for row in rows}
    return int("FAIL" in found or not found & set(VERDICTS))


def short(number: str) -> str:
    """A number in up to six digits, without a needless fraction: 57.0 becomes 57."""
    try:
        return f"{float(number):.6g}"
    except ValueError:
        return number


if __name__ == "__main__":
    sys.exit(main())
