"""A bill as a file: CSV for programs, PDF (billing/sheet_pdf.py) for accountants."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from billing.sheet_pdf import sheet_pdf
from billing.sheets import Sheet
from goongdash.lib.spreadsheets import safe_cell

COLUMNS = (
    "month",
    "number",
    "kind",
    "service",
    "version",
    "first_day",
    "last_day",
    "from_unit",
    "units",
    "free_units",
    "unit_price_micro_usd",
    "gross_micro_usd",
    "credit_micro_usd",
    "net_micro_usd",
)


def sheet_csv(sheet: Sheet) -> str:
    """A row for each line; money in whole micro-dollars. A draft has no number."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in sheet.lines:
        line = each.line
        row = (
            str(sheet.month),
            sheet.number,
            line.kind,
            each.label,
            each.version,
            line.first_on,
            line.last_on,
            line.from_units + 1,
            line.units,
            each.free_units,
            "" if line.unit_price_micro_usd is None else line.unit_price_micro_usd,
            line.amount_micro_usd,
            line.credit_micro_usd,
            line.net_micro_usd,
        )
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


FILES: dict[str, tuple[str, Callable[[Sheet], str | bytes]]] = {
    "csv": ("text/csv; charset=utf-8", sheet_csv),
    "pdf": ("application/pdf", sheet_pdf),
}
