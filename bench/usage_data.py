"""Made usage, in SQL: ninety days of ten thousand accounts, one of which has a third of all of it.

A third of the accounts' keys are called from browsers and name an origin each. Days are filled evenly, hours more
about noon. Records are numbered by time, as ingest would have. Sums are made by the project's own rollup, a day at a
time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts.models import Account
from accounts.registration import account_register
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, day_start
from keys.models import ApiKey, KeyType
from stats.models import ShardCursor
from stats.partitions import partitions_ensure
from stats.rollups import usage_roll_up

N_ACCOUNTS = 10_000
N_DAYS = 90
KEYS_OF_LARGEST, KEYS_OF_OTHERS = 24, 2
EMAIL = "largest@example.com"

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
    account, now = account_register(email=EMAIL, password="bench bench bench"), utc_now()
    others = [Account(name=f"Account {n}", plan=account.plan, created_at=now) for n in range(2, N_ACCOUNTS + 1)]
    Account.objects.bulk_create(others, batch_size=2_000)
    keys = [_key(account, n, now) for n in range(KEYS_OF_LARGEST)]
    keys += [_key(other, n, now) for other in others for n in range(KEYS_OF_OTHERS)]
    ApiKey.objects.bulk_create(keys, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute(_HELPERS)
    return account


def _key(account: Account, n: int, now: datetime) -> ApiKey:
    key_type = KeyType.TILES if n % 4 == 3 else KeyType.REST
    digest = f"{account.pk}-{n}"
    return ApiKey(account=account, type=key_type, name=f"Key {n}", lookup_digest=digest, ciphertext=b"", created_at=now)


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
