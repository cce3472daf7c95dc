"""The history for other programs: read as a stream, written as CSV or JSON a line at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

from django.db.models import QuerySet

from accounts.audit_log import changes_of
from accounts.models import AuditEntry
from goongdash.lib.spreadsheets import safe_cell

_CHUNK_ROWS = 2_000
COLUMNS = ["at", "who", "who_kind", "action", "object_kind", "object_id", "object", "changes"]


def csv_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """A line of column names and one for each entry; changes as ``name: old → new; …``."""
    yield _csv_line(COLUMNS)
    for entry in entries.iterator(chunk_size=_CHUNK_ROWS):
        changes = "; ".join(f"{change.field}: {change.old} → {change.new}" for change in changes_of(entry))
        yield _csv_line([*_facts(entry).values(), changes])


def json_lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """One JSON list, an entry a line; changes as ``{name: [old, new]}``."""
    start = "[\n"
    for entry in entries.iterator(chunk_size=_CHUNK_ROWS):
        yield start + json.dumps({**_facts(entry), "changes": entry.changes}, ensure_ascii=False)
        start = ",\n"
    yield "[]\n" if start == "[\n" else "\n]\n"


WRITERS: dict[str, tuple[Callable[[QuerySet[AuditEntry]], Iterator[str]], str]] = {
    "csv": (csv_lines, "text/csv; charset=utf-8"),
    "json": (json_lines, "application/json"),
}


def _facts(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "who": entry.actor_name,
        "who_kind": entry.actor_kind,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "object": entry.object_name,
    }


def _csv_line(cells: list[Any]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()
