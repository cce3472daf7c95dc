"""The replay of a key's last seven days: a million records, of few sites, of many addresses, and among others'."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Account
from accounts.registration import account_register
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from keys.models import ApiKey
from keys.services import key_create
from stats.outcomes import OUTCOMES, Outcome
from stats.partitions import partitions_ensure

N_RECORDS = 1_000_000
ROUNDS = 7
SITES = ["http*://shop.example.com/*", "http*://*.example.net/*", "http://localhost:*"]
RANGES = [*SITES, "203.0.113.0/24", "10.0.0.0/15"]
PATHS = [*SITES, "https://app.example.org/shop/*"]

# Of each ten requests, eight are of five sites, one of a thousand others, one names none; a quarter of a million
# addresses, and some thousand paths.
_RECORDS = """
    INSERT INTO stats_usagerecord (id, account_id, key_id, service_id, outcome, at, units, cost_micro_usd, ip, origin,
                                   request_id, page_path)
    SELECT %(first_id)s + n, %(account)s, %(key)s, 6, CASE WHEN n %% 40 = 0 THEN %(refused)s ELSE 0 END,
           %(now)s::timestamptz - interval '7 days' * (n::float8 / %(count)s), 1, 5000,
           '10.0.0.0'::inet + (n * 7919 %% 250000),
           CASE WHEN n %% 10 = 9 THEN '' WHEN n %% 10 = 8 THEN 'https://site' || n / 10 %% 1000 || '.example.org'
                ELSE (ARRAY['https://shop.example.com', 'https://www.example.net', 'https://app.example.org',
                            'http://localhost:3000', 'https://m.example.net'])[1 + n %% 5] END,
           gen_random_uuid(), CASE WHEN n %% 3 = 0 THEN '/shop/' || n %% 3000 ELSE '' END
    FROM generate_series(0::bigint, %(count)s - 1) AS n
"""


def measure() -> dict[str, float]:
    """Milliseconds of server time for the whole answer, medians."""
    settings.ALLOWED_HOSTS = ["testserver"]
    account = account_register(email="replay@example.com", password="correct horse battery")
    client = Client()
    client.force_login(account.members.get())
    key = _key_with_records(account, 0)
    figures = {
        "sites (ms)": _median_ms(lambda: _ask(client, key, SITES)),
        "sites and paths (ms)": _median_ms(lambda: _ask(client, key, PATHS)),
        "sites and ranges, of 250,000 addresses half (ms)": _median_ms(lambda: _ask(client, key, RANGES)),
        "sites, last 24 hours (ms)": _median_ms(lambda: _ask(client, key, SITES, days=1)),
    }
    for number in (1, 2, 3):
        _key_with_records(account, number)
    figures["sites, three such keys beside it (ms)"] = _median_ms(lambda: _ask(client, key, SITES))
    return figures


def _ask(client: Client, key: ApiKey, entries: list[str], days: int = 7) -> None:
    answer = client.post(f"/keys/{key.pk}/replay", {"restrictions": entries, "days": days})
    if b"list would have refused" not in answer.content:
        raise AssertionError(f"This is no answer: {answer.content.decode()}")


def _median_ms(act: Callable[[], object]) -> float:
    return median(_time_ms(act) for _ in range(ROUNDS))


def _time_ms(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1_000


def _key_with_records(account: Account, number: int) -> ApiKey:
    """A key with a million records of the last seven days, made in the database, where ingest would take minutes."""
    key, now = key_create(account=account, key_type="rest", name=f"Key {number}").key, utc_now()
    days = {day_of(now - timedelta(days=ago), settings.BILLING_ZONE) for ago in range(9)}
    partitions_ensure(days, zone=settings.BILLING_ZONE)
    parameters: dict[str, Any] = {
        "first_id": number * N_RECORDS,
        "account": account.pk,
        "key": key.pk,
        "refused": OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number,
        "now": now,
        "count": N_RECORDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, parameters)
        cursor.execute("VACUUM ANALYZE stats_usagerecord")
    return key
