"""Made usage, in SQL: ninety days of ten thousand accounts, one of which has a third of all of it.

A third of the accounts' keys are called from browsers and name an origin each. Days are filled evenly, hours more
about noon. Records are numbered by time, as ingest would have. Sums are made by the project's own rollup, a day at a
time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import Account
from accounts.registration import account_register
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, day_start
from stats.models import ShardCursor
from stats.partitions import partitions_ensure
from stats.rollups import usage_roll_up

N_ACCOUNTS = 10_000
N_DAYS = 90
KEYS_OF_LARGEST, KEYS_OF_OTHERS = 24, 2
EMAIL = "largest@example.com"

_ACCOUNTS = """
    INSERT INTO accounts_account (name, plan_id, is_active, asks_before_showing_keys, created_at)
    SELECT 'Account ' || n, %(plan)s, true, false, %(now)s FROM generate_series(2, %(n)s) AS n
"""
_KEYS = """
    INSERT INTO keys_apikey (account_id, type, name, description, lookup_digest, ciphertext, masked_text,
                             allows_no_origin, version, created_at)
    SELECT a.id, CASE WHEN k %% 4 = 3 THEN 'tiles' ELSE 'rest' END, 'Key ' || k, '', md5(a.id || '-' || k), '', 'gr_…',
           false, 1, %(now)s
    FROM accounts_account AS a
    CROSS JOIN LATERAL generate_series(1, CASE WHEN a.id = %(largest)s THEN %(many)s ELSE %(few)s END) AS k
"""
# Numbers that look random and are the same in every run: a hash of the record's number and of what it is for.
_RECORDS = """
    INSERT INTO stats_usagerecord (id, at, account_id, key_id, service_id, outcome, units, cost_micro_usd, ip, country,
                                   origin, request_id)
    SELECT n, at, account_id, key_id, service_ids[1 + chance(n, 'service') %% 4], outcome,
           (outcome = 0)::int, CASE WHEN outcome = 0 THEN 5000 ELSE 0 END,
           ('203.' || chance(n, 'a') %% 60 || '.' || chance(n, 'b') %% 256 || '.' || chance(n, 'c') %% 256)::inet, '',
           CASE WHEN key_id %% 3 = 0 THEN 'https://www.site' || key_id %% 5000 || '.example' ELSE '' END,
           md5(n::text)::uuid
    FROM (
        SELECT n, %(start)s::timestamptz + (n - %(first)s) * (%(end)s::timestamptz - %(start)s) / %(count)s AS at,
               CASE WHEN chance(n, 'whose') %% 3 = 0 THEN %(largest)s
                    ELSE %(least)s + 1 + chance(n, 'account') %% %(n_others)s END AS account_id,
               CASE chance(n, 'outcome') %% 25 WHEN 0 THEN 7 WHEN 1 THEN 8 ELSE 0 END AS outcome
        FROM generate_series(%(first)s::bigint, %(first)s::bigint + %(count)s - 1) AS n
    ) AS made
    CROSS JOIN LATERAL (
        SELECT first_key + chance(n, 'key') %% n_keys AS key_id
        FROM bench_keys AS k WHERE k.account_id = made.account_id
    ) AS whose
    CROSS JOIN (SELECT array_agg(id ORDER BY id) AS service_ids FROM keys_service) AS all_services
"""
_HELPERS = """
    CREATE OR REPLACE FUNCTION chance(n bigint, what text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT hashint8extended(n, hashtext(what)) & 1073741823 $$;
    CREATE TABLE bench_keys AS
    SELECT account_id, min(id) AS first_key, count(*) AS n_keys FROM keys_apikey GROUP BY 1;
    CREATE UNIQUE INDEX ON bench_keys (account_id);
    ANALYZE bench_keys;
"""


def about() -> str:
    return (
        f"{N_DAYS} days of {N_ACCOUNTS:,} accounts, one of which has a third of all use, and {KEYS_OF_LARGEST} keys; "
        "records made in SQL, sums by the project's own rollup. New events come through the stream; ingest and rollup "
        "run side by side, as their processes do, with the database and the store on the same two cores."
    )


def largest_account() -> Account:
    """Makes all accounts and keys; returns the one with a third of all use."""
    account = account_register(email=EMAIL, password="bench bench bench")
    facts: dict[str, Any] = {"plan": account.plan_id, "now": utc_now(), "n": N_ACCOUNTS, "largest": account.pk}
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, facts)
        cursor.execute(_KEYS, {**facts, "many": KEYS_OF_LARGEST, "few": KEYS_OF_OTHERS})
        cursor.execute(_HELPERS)
    return account


def all_days() -> list[date]:
    """The last ninety whole days."""
    today = day_of(utc_now(), settings.BILLING_ZONE)
    return [today - timedelta(days=n) for n in range(N_DAYS, 0, -1)]


def records_make(account: Account, *, days: Iterable[date], n_a_day: int) -> int:
    """Adds records, the same number in each of `days`, and rolls them up; returns how many there are now."""
    cursor_row, _ = ShardCursor.objects.get_or_create(shard=0)
    for day in days:
        start, end = (day_start(d, settings.BILLING_ZONE) for d in (day, day + timedelta(days=1)))
        partitions_ensure({day}, zone=settings.BILLING_ZONE)
        with connection.cursor() as cursor:
            cursor.execute(
                _RECORDS,
                {
                    "first": cursor_row.n_records + 1,
                    "count": n_a_day,
                    "start": start,
                    "end": end,
                    "largest": account.pk,
                    "least": account.pk,
                    "n_others": N_ACCOUNTS - 1,
                },
            )
        cursor_row.n_records += n_a_day
        cursor_row.new_since = start
        cursor_row.save(update_fields=["n_records", "new_since"])
        while usage_roll_up():
            pass
        cursor_row.refresh_from_db()
    return cursor_row.n_records
