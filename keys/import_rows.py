"""Reads a list of another provider's keys, from CSV or JSON, into rows. Pure; no message quotes what was read.

Either has the columns `text`, `type` and `name`, and may have `description`, `restrictions` (in CSV, parted by
spaces or line ends), `mode` (of the restrictions: enforced, or report_only; empty is enforced) and `created`
(ISO 8601; without a zone, in the installation's).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

REQUIRED = ("text", "type", "name")
COLUMNS = (*REQUIRED, "description", "restrictions", "mode", "created")


class ImportUnreadable(ValueError):
    """The list as a whole cannot be read; `args[0]` is a sentence for the operator, without any of its content."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One key to be taken over, the first row being 1. `fault` says why the row cannot be read; then it is empty."""

    number: int
    text: str = field(default="", repr=False)
    key_type: str = ""
    name: str = ""
    description: str = ""
    restrictions: tuple[str, ...] = ()
    mode: str = "enforced"
    created_at: datetime | None = None
    fault: str = ""


def rows_of_csv(content: str, *, zone: ZoneInfo) -> list[ImportRow]:
    """The rows under a heading that names the columns. Raises ImportUnreadable."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        lines = [line for line in reader if any(cell.strip() for cell in line)]
    except csv.Error:
        raise ImportUnreadable(f"Line {reader.line_num} is not CSV.") from None
    if not lines:
        raise ImportUnreadable("There is nothing in it.")
    heading = [cell.strip().lower() for cell in lines[0]]
    _check_heading(heading)
    return [_csv_row(number, heading, line, zone) for number, line in enumerate(lines[1:], 1)]


def rows_of_json(content: str, *, zone: ZoneInfo) -> list[ImportRow]:
    """The rows of a list of objects. Raises ImportUnreadable."""
    try:
        objects = json.loads(content)
    except json.JSONDecodeError as error:
        raise ImportUnreadable(f"Line {error.lineno} is not JSON.") from None
    if not isinstance(objects, list):
        raise ImportUnreadable("It is not a list of objects.")
    return [_json_row(number, item, zone) for number, item in enumerate(objects, 1)]


def _check_heading(heading: list[str]) -> None:
    # By its place and not by its name: where there is no heading, what stands here is a key.
    for place, name in enumerate(heading, 1):
        if name not in COLUMNS or name in heading[: place - 1]:
            raise ImportUnreadable(f"Column {place} has no heading that is known: {', '.join(COLUMNS)}, each once.")
    missing = [name for name in REQUIRED if name not in heading]
    if missing:
        raise ImportUnreadable(f"There is no column “{missing[0]}”.")


def _csv_row(number: int, heading: list[str], line: list[str], zone: ZoneInfo) -> ImportRow:
    if len(line) != len(heading):
        return ImportRow(number, fault=f"It has {len(line)} cells, the heading {len(heading)}.")
    cells: dict[str, Any] = {name: cell.strip() for name, cell in zip(heading, line, strict=True)}
    return _row(number, {**cells, "restrictions": cells.get("restrictions", "").split()}, zone)


def _json_row(number: int, item: Any, zone: ZoneInfo) -> ImportRow:
    if not isinstance(item, dict) or not item.keys() <= set(COLUMNS):
        return ImportRow(number, fault=f"It is not an object of {', '.join(COLUMNS)}.")
    members = {name: value for name, value in item.items() if value is not None}
    restrictions = members.pop("restrictions", [])
    texts = restrictions.split() if isinstance(restrictions, str) else restrictions
    is_plain = all(isinstance(value, str) for value in members.values())
    if not is_plain or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return ImportRow(number, fault="Its members are not all texts, or “restrictions” is no list of texts.")
    return _row(number, {**members, "restrictions": texts}, zone)


def _row(number: int, cells: Mapping[str, Any], zone: ZoneInfo) -> ImportRow:
    try:
        created_at = _instant(cells.get("created", ""), zone)
    except ValueError:
        return ImportRow(number, fault="“created” is no instant such as 2026-01-31T09:00:00+07:00.")
    return ImportRow(
        number,
        text=cells.get("text", ""),
        key_type=cells.get("type", "").lower(),
        name=cells.get("name", ""),
        description=cells.get("description", ""),
        restrictions=tuple(cells["restrictions"]),
        mode=cells.get("mode", "").lower() or "enforced",
        created_at=created_at,
    )


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    instant = datetime.fromisoformat(text)
    if instant.year < 1970:
        raise ValueError
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
