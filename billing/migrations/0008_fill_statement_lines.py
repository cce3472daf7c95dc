"""Statements of before: late usage and what no line explains get lines of their own, and credit pays in their order."""

from __future__ import annotations

from django.db import migrations

_LATE = """
    INSERT INTO billing_statementline
        (statement_id, kind, service_id, first_on, last_on, from_units, units, amount_micro_usd)
    SELECT s.id, 'late', NULL, late.first_on, (late.first_on + interval '1 month - 1 day')::date, 0, 0, late.amount
    FROM billing_statement AS s JOIN (
        SELECT account_id, period_on, date_trunc('month', usage_on)::date AS first_on, -sum(amount_micro_usd) AS amount
        FROM billing_ledgerentry WHERE kind = 'late_usage' GROUP BY 1, 2, 3
    ) AS late USING (account_id, period_on)
    WHERE late.amount <> 0
"""
_REST = """
    INSERT INTO billing_statementline
        (statement_id, kind, service_id, first_on, last_on, from_units, units, amount_micro_usd)
    SELECT s.id, 'difference', NULL, s.period_on, (s.period_on + interval '1 month - 1 day')::date, 0, 0,
           s.gross_micro_usd - coalesce(sum(l.amount_micro_usd), 0)
    FROM billing_statement AS s LEFT JOIN billing_statementline AS l ON l.statement_id = s.id
    GROUP BY s.id HAVING s.gross_micro_usd <> coalesce(sum(l.amount_micro_usd), 0)
"""
_DAYS = """
    UPDATE billing_statementline AS l
    SET first_on = s.period_on, last_on = (s.period_on + interval '1 month - 1 day')::date
    FROM billing_statement AS s WHERE s.id = l.statement_id AND l.first_on IS NULL
"""
_ORDER_AND_CREDIT = """
    UPDATE billing_statementline AS l
    SET position = placed.place,
        credit_micro_usd = greatest(0, least(l.amount_micro_usd, placed.credit - placed.earlier))
    FROM (
        SELECT id, credit, place,
               coalesce(sum(greatest(amount, 0)) OVER (
                   PARTITION BY statement_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
               ), 0) AS earlier
        FROM (
            SELECT line.id, line.statement_id, line.amount_micro_usd AS amount, s.credit_micro_usd AS credit,
                   row_number() OVER (
                       PARTITION BY line.statement_id
                       ORDER BY line.kind = 'late', service.position NULLS LAST, line.id
                   ) AS place
            FROM billing_statementline AS line
            JOIN billing_statement AS s ON s.id = line.statement_id
            LEFT JOIN keys_service AS service ON service.id = line.service_id
        ) AS ordered
    ) AS placed
    WHERE placed.id = l.id
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_statement_lines_by_tier"), ("keys", "0001_initial")]
    operations = [migrations.RunSQL([_LATE, _REST, _DAYS, _ORDER_AND_CREDIT], migrations.RunSQL.noop)]
