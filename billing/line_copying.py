"""Writes the lines of new statements by COPY: they are many, and through the ORM took half of a closing's time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from billing.lines import Line

_COPY = """
    COPY billing_statementline (
        statement_id, kind, position, service_id, first_on, last_on, from_units, unit_price_micro_usd, units,
        amount_micro_usd, credit_micro_usd
    ) FROM STDIN
"""


def lines_copy(statements: Iterable[tuple[int, Sequence[Line]]]) -> None:
    """Writes each statement's lines, given as (statement id, lines), in their order."""
    with connection.cursor() as db, db.cursor.copy(_COPY) as copy:
        for statement_id, lines in statements:
            for position, line in enumerate(lines, 1):
                copy.write_row(_row(statement_id, position, line))


def _row(statement_id: int, position: int, line: Line) -> tuple[object, ...]:
    return (
        statement_id,
        line.kind.value,
        position,
        line.service_id,
        line.first_on,
        line.last_on,
        line.from_units,
        line.unit_price_micro_usd,
        line.units,
        line.amount_micro_usd,
        line.credit_micro_usd,
    )
