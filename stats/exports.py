"""Usage as rows for other programs: read from the sums as a stream, written as CSV or JSON."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings

from accounts.models import Account
from goongdash.lib.spreadsheets import safe_cell
from keys.models import Service
from keys.selectors import all_keys_of
from stats.outcomes import BY_NUMBER
from stats.periods import Grain, Period
from stats.selectors import usage_sums

_CHUNK_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One sum: what a key had of a service and an outcome in an hour or a day of the installation's zone."""

    period_start: str
    key_id: int
    key_name: str
    service: str
    outcome: str
    requests: int
    units: int
    cost_micro_usd: int


COLUMNS = [field.name for field in fields(ExportRow)]


def export_rows(*, account: Account, period: Period, grain: Grain) -> Generator[ExportRow]:
    """Every sum of the period, oldest first, a few at a time. Days as ``2026-11-23``, hours with their offset.

    The service is empty where the path named none. A key or service that is gone keeps its number.
    """
    names = dict(all_keys_of(account).values_list("pk", "name"))
    slugs = dict(Service.objects.values_list("pk", "slug"))
    sums = (
        usage_sums(account=account, period=period, grain=grain)
        .order_by("bucket", "key_id", "service_id", "outcome")
        .values_list("bucket", "key_id", "service_id", "outcome", "n_requests", "units", "cost_micro_usd")
    )
    for bucket, key_id, service_id, outcome, n_requests, units, cost in sums.iterator(chunk_size=_CHUNK_ROWS):
        yield ExportRow(
            period_start=start_text(bucket),
            key_id=key_id,
            key_name=names.get(key_id, ""),
            service="" if service_id is None else slugs.get(service_id, str(service_id)),
            outcome=BY_NUMBER[outcome].value,
            requests=n_requests,
            units=units,
            cost_micro_usd=cost,
        )


def start_text(bucket: date | datetime) -> str:
    local = bucket.astimezone(settings.BILLING_ZONE) if isinstance(bucket, datetime) else bucket
    return local.isoformat()


def write_csv(rows: Iterable[ExportRow], out: TextIO, head: dict[str, Any]) -> int:
    """Writes a line of column names and one for each row; returns the number of rows."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    n_rows = 0
    for row in rows:
        writer.writerow([safe_cell(getattr(row, column)) for column in COLUMNS])
        n_rows += 1
    return n_rows


def write_json(rows: Iterable[ExportRow], out: TextIO, head: dict[str, Any]) -> int:
    """Writes one object, `head` with the list ``rows`` at its end, a row a line; returns the number of rows."""
    out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": [')
    n_rows = 0
    for row in rows:
        facts = {column: getattr(row, column) for column in COLUMNS}
        out.write((",\n" if n_rows else "\n") + json.dumps(facts, ensure_ascii=False))
        n_rows += 1
    out.write("\n]}\n")
    return n_rows


WRITERS: dict[str, Callable[[Iterable[ExportRow], TextIO, dict[str, Any]], int]] = {
    "csv": write_csv,
    "json": write_json,
}


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name when it is whole; if anything fails, what was there stays."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
