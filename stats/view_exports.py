"""What a statistics page shows as rows for other programs: CSV or JSON, a few rows at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import override

from accounts.models import Account
from goongdash.lib.spreadsheets import safe_cell
from keys.models import Service
from stats.cuts import lineages_joined, usage_cells
from stats.exports import start_text
from stats.queries import Dimension, UsageCell
from stats.selectors import service_facts
from stats.usage_page import group_names
from stats.usage_views import UsageView

EXPORTS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
COLUMNS = ("start", "group", "label", "requests", "allowed", "refused", "units", "cost_micro_usd")


def export_name(view: UsageView, format: str) -> str:
    days = view.span.days
    return f"usage-{days.first}-{days.last}-by-{view.by}.{format}"


def export_of(account: Account, view: UsageView, *, services: Sequence[Service], format: str) -> Iterator[str]:
    """The lines of the export: every group by itself, however many there are; measures side by side."""
    rows = export_rows(account, view, services=services)
    return _csv_lines(rows) if format == "csv" else _json_lines(_head(view), rows)


def export_rows(account: Account, view: UsageView, *, services: Sequence[Service]) -> Iterator[dict[str, Any]]:
    """In order of time, of the installation's zone. `group` is as in a URL, `label` as on the page, in English.

    Nothing is handed on while another language is active: it would be that of the whole thread.
    """
    with override("en"):
        facts = service_facts(services)
    query = view.query(account.pk, {service.slug: service.pk for service in services}, settings.BILLING_ZONE)
    names: dict[Any, Any] = {}
    cells = usage_cells(query)
    for cell in lineages_joined(cells, account.pk) if view.by is Dimension.KEY else cells:
        if cell.group not in names:
            with override("en"):
                names |= group_names([cell.group], view.by, account=account, services=facts)
        yield _row(cell, names[cell.group].text, names[cell.group].label)


def _row(cell: UsageCell, text: str, label: str) -> dict[str, Any]:
    totals = cell.totals
    return {
        "start": start_text(cell.bucket),
        "group": text,
        "label": label,
        "requests": totals.n_requests,
        "allowed": totals.n_allowed,
        "refused": totals.n_refused,
        "units": totals.units,
        "cost_micro_usd": totals.cost_micro_usd,
    }


def _head(view: UsageView) -> dict[str, Any]:
    span = view.shown(settings.BILLING_ZONE)
    return {
        "start": start_text(span.start),
        "end": start_text(span.end),
        "grain": view.grain_shown(settings.BILLING_ZONE),
        "by": view.by,
        "filters": {dimension.value: list(texts) for dimension, texts in view.filters.items() if texts},
        "time_zone": settings.BILLING_TIME_ZONE,
    }


def _csv_lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(row[column]) for column in COLUMNS])
        if line.tell() > 8_192:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _json_lines(head: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": ['
    mark = "\n"
    for row in rows:
        yield mark + json.dumps(row, ensure_ascii=False)
        mark = ",\n"
    yield "\n]}\n"
