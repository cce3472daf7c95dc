"""The request log: server time of its pages for the largest account, with millions of records made by SQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from statistics import median, quantiles
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Account
from accounts.registration import account_register
from goongdash.lib.clock import utc_now
from goongdash.lib.garbage import collect_seldom
from goongdash.lib.periods import day_of, days
from keys.models import ApiKey, KeyType, Service
from stats.models import UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from stats.partitions import HOURS, RECORDS, partitions_ensure

N_DAYS = 30
N_KEYS = 200
N_ACCOUNTS = 10_000
ROUNDS = 60
_ORIGIN_OF_RECORD = "'https://site' || n %% 500 || '.example'"
_RARE = 1_000_003  # One record in so many is from a rare origin, with a rare outcome.

# Every third record is the largest account's; ids tell the time, as the gate's do. The others have one key each.
_RECORDS = f"""
    INSERT INTO stats_usagerecord
        (id, account_id, key_id, service_id, outcome, at, units, cost_micro_usd, ip, origin, request_id)
    SELECT n, account, CASE WHEN account = %(largest)s THEN %(key)s + n / 3 %% %(n_keys)s ELSE 1000000 + account END,
           %(service)s + n %% 7,
           CASE WHEN n %% {_RARE} = 0 THEN %(rare)s WHEN n %% 11 = 0 THEN %(refused)s ELSE 0 END,
           at, 1, 5000, '203.0.113.7'::inet + n %% 200,
           CASE WHEN n %% {_RARE} = 0 THEN 'https://rare.example' ELSE {_ORIGIN_OF_RECORD} END,
           overlay(overlay(md5(n::text) PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') FROM 1)
                   PLACING '7' FROM 13)::uuid
    FROM (SELECT n, %(end)s - (%(n_records)s - n) * %(step)s AS at,
                 CASE WHEN n %% 3 = 0 THEN %(largest)s ELSE 1000000 + n %% %(n_accounts)s END AS account
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS made
"""
_SUMS = """
    INSERT INTO {table} (account_id, key_id, service_id, outcome, {column}, n_requests, units, cost_micro_usd)
    SELECT account_id, key_id, service_id, outcome, {cut}, count(*), sum(units), sum(cost_micro_usd)
    FROM stats_usagerecord GROUP BY 1, 2, 3, 4, 5
"""
_BYTES = """
    SELECT sum(pg_total_relation_size(inhrelid)) / (SELECT count(*) FROM stats_usagerecord)
    FROM pg_inherits WHERE inhparent = 'stats_usagerecord'::regclass
"""


def measure(n_records: int) -> dict[str, float]:
    """Milliseconds, p95 and median; and bytes of a record with its indexes."""
    settings.ALLOWED_HOSTS = ["testserver"]
    collect_seldom()  # As the pages' own processes do.
    logging.getLogger("django.request").setLevel(logging.ERROR)  # One of the requests is not there.
    account = account_register(email="largest@example.com", password="correct horse battery")
    make_records(account, n_records)
    client = Client()
    client.force_login(account.members.get())
    last = UsageRecord.objects.filter(account=account).order_by("-at")[n_records // 10]
    key_id = account.keys.order_by("pk").values_list("pk", flat=True)[7]
    pages = {
        "first page": "/requests",
        "a page amid them": f"/requests?before={int(last.at.timestamp() * 1e6)}.{last.pk}",
        "all refusals of a key": f"/requests?key={key_id}&outcome=refused",
        "one origin": "/requests?origin=site42.example",
        "a rare outcome": f"/requests?outcome={Outcome.KEY_TYPE}",
        "a rare origin": "/requests?origin=rare.example",
        "nothing that fits": f"/requests?outcome={Outcome.DAILY_QUOTA}",
        "one request by its id": f"/requests/{last.request_id}",
        "a request that is not there": "/requests/" + str(last.request_id)[:-4] + "0000",
    }
    figures = {f"of {n_records:,} records, {name}": _times(partial(client.get, url)) for name, url in pages.items()}
    told = {f"{name}, {which} (ms)": ms for name, times in figures.items() for which, ms in times.items()}
    return {**told, "bytes of a record with its indexes": _number(_BYTES)}


def make_records(account: Account, n_records: int) -> None:
    """The records of N_DAYS days up to now, a third of them `account`'s, and their sums by hour and day."""
    end, zone = utc_now(), settings.BILLING_ZONE
    made_days = set(days(day_of(end - timedelta(days=N_DAYS + 1), zone), day_of(end, zone)))
    for table in (RECORDS, HOURS):
        partitions_ensure(made_days, zone=zone, table=table)
    made: dict[str, Any] = {
        "end": end,
        "n_records": n_records,
        "step": timedelta(days=N_DAYS) / n_records,
        **_facts(account, end),
    }
    with connection.cursor() as cursor:
        for first in range(1, n_records + 1, 1_000_000):
            cursor.execute(_RECORDS, {**made, "first": first, "last": min(first + 999_999, n_records)})
        hour, day = "date_trunc('hour', at, %s)", "(at AT TIME ZONE %s)::date"
        for sums, column, cut in (("stats_hourlyusage", "hour_at", hour), ("stats_dailyusage", "day_on", day)):
            cursor.execute(_SUMS.format(table=sums, column=column, cut=cut), [settings.BILLING_TIME_ZONE])
        cursor.execute("VACUUM ANALYZE")


def _facts(account: Account, now: datetime) -> dict[str, int]:
    keys = ApiKey.objects.bulk_create(
        ApiKey(
            account=account,
            type=KeyType.REST,
            name=f"Key {number:03}",
            lookup_digest=f"{number:064}",
            ciphertext=b"",
            masked_text=f"gr_{number:03}",
            created_at=now,
        )
        for number in range(N_KEYS)
    )
    return {
        "largest": account.pk,
        "key": keys[0].pk,
        "n_keys": N_KEYS,
        "n_accounts": N_ACCOUNTS,
        "service": Service.objects.order_by("pk").values_list("pk", flat=True)[0],
        "rare": OUTCOMES[Outcome.KEY_TYPE].number,
        "refused": OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number,
    }


def _times(ask: Callable[[], object]) -> dict[str, float]:
    ask()
    times = [_time_ms(ask) for _ in range(ROUNDS)]
    return {"p95": quantiles(times, n=20)[18], "median": median(times)}


def _time_ms(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1_000


def _number(sql: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (value,) = cursor.fetchone() or (0,)
    return float(value)
