"""The statement that charges usage: what daily sums say and the ledger does not yet, an entry for an account's day."""

from __future__ import annotations

# Through the join, only accounts that there are: usage in the name of none must not stop everyone's charges.
_READ = """
    SELECT account_id, day_on, sum(cost_micro_usd)::bigint AS cost
    FROM stats_dailyusage JOIN accounts_account ON accounts_account.id = account_id
    WHERE day_on >= %(since)s AND day_on < %(before)s
      AND (%(account_ids)s::bigint[] IS NULL OR account_id = ANY(%(account_ids)s))
    GROUP BY 1, 2
"""
_GIVEN = """
    SELECT * FROM unnest(%(of_accounts)s::bigint[], %(of_days)s::date[], %(of_costs)s::bigint[])
        AS given (account_id, day_on, cost)
"""
_CHARGE = """
    WITH used AS ({used}),
    charged AS (
        SELECT account_id, usage_on AS day_on, -sum(amount_micro_usd)::bigint AS cost, count(*) AS n
        FROM billing_ledgerentry
        WHERE kind = ANY(%(kinds)s) AND usage_on >= %(since)s AND usage_on < %(before)s
          AND (%(account_ids)s::bigint[] IS NULL OR account_id = ANY(%(account_ids)s))
        GROUP BY 1, 2
    )
    INSERT INTO billing_ledgerentry
        (account_id, period_on, kind, source, usage_on, amount_micro_usd, note, author, created_at)
    SELECT used.account_id,
           CASE WHEN closed.id IS NULL THEN date_trunc('month', used.day_on)::date ELSE %(open_month)s::date END,
           CASE WHEN closed.id IS NULL THEN %(usage)s ELSE %(late)s END,
           to_char(used.day_on, 'YYYY-MM-DD') || '#' || coalesce(charged.n, 0) + 1,
           used.day_on, coalesce(charged.cost, 0) - used.cost, '', '', %(now)s
    FROM used
    LEFT JOIN charged USING (account_id, day_on)
    LEFT JOIN billing_statement AS closed
        ON closed.account_id = used.account_id AND closed.period_on = date_trunc('month', used.day_on)::date
    WHERE used.cost <> coalesce(charged.cost, 0)
    ORDER BY used.account_id, used.day_on
    RETURNING account_id, kind
"""
# Of the sums as they are read by the statement itself, or of those that somebody has read before.
CHARGE_READ, CHARGE_GIVEN = (_CHARGE.format(used=used) for used in (_READ, _GIVEN))
