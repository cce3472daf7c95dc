"""Puts the counters of days and months back into a store that has lost them, from what PostgreSQL knows.

The scripts count nothing in a shard without its mark (`open_key`), so that no counter begins at nothing while the
month's usage is written somewhere else. Whoever finds the mark missing takes the cursors' locks, has all that was
ingested rolled up, writes every counter as the sums say, and then the mark: in one step, and only if the store was
not emptied once more meanwhile. With the locks held nobody ingests, and without the mark nobody counts: what is
written cannot be late. Runs in a thread; raises DatabaseError and RedisError.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

import redis
from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from redis.client import Pipeline

from billing.selectors import price_book
from gate.calendar import DAY_TTL_S, MONTH_TTL_S
from gate.loading import COUNTED
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_number, day_of
from keys.models import ApiKey, Unit
from stats.ingest import cursors_lock
from stats.models import DailyUsage
from stats.rollups import usage_catch_up, usage_roll_up
from stats.stream import open_key, redis_client, shard_of, shard_prefix

# The layouts of `count.lua`.
_DAY, _ACCOUNT, _OWN, _UNITS = struct.Struct(">I"), struct.Struct(">IIQ"), struct.Struct(">IQ"), struct.Struct(">Q")
CHUNK = 1_000
# Keys of one lineage share their counters.
_COUNTED_ID = Coalesce("key__lineage_id", "key_id")

# A hash by its name behind the shard's prefix, how long it is kept, a field, and the counter in it; of an account.
Counter = tuple[int, str, int, str, bytes]


def counters_rebuild() -> int:
    """Opens every shard that is not open, its counters rebuilt; returns how many those were."""
    close_old_connections()
    if not _closed_shards():
        return 0
    # A stream that is still there, of a store that only lacks the mark, is taken in first: each batch with a commit
    # of its own, as what is trimmed from the stream must be kept, whatever becomes of the rest.
    usage_catch_up()
    with transaction.atomic():
        cursors_lock()
        # Another gate may have done it while this one waited for the locks.
        closed = _closed_shards()
        if not closed:
            return 0
        while usage_roll_up():
            pass
        today = day_of(utc_now(), settings.BILLING_ZONE)
        _rebuild(closed, [today - timedelta(days=1), today])
        return len(closed)


def _closed_shards() -> set[int]:
    shards = range(settings.USAGE_SHARDS)
    with redis_client().pipeline(transaction=False) as pipe:
        for shard in shards:
            pipe.exists(open_key(shard))
        return {shard for shard, is_open in zip(shards, pipe.execute(), strict=True) if not is_open}


def _rebuild(closed: set[int], days: list[date]) -> None:
    client, run = redis_client(), uuid.uuid4().hex
    for shard in closed:
        # However long it takes: the next run writes its own over it.
        client.set(_run_key(shard), run)
    counters = (counter for counter in _counters(days) if shard_of(counter[0]) in closed)
    while some := list(islice(counters, CHUNK)):
        with client.pipeline(transaction=False) as pipe:
            for account_id, name, ttl_s, field, packed in some:
                name = shard_prefix(shard_of(account_id)) + name
                pipe.hset(name, field, packed)
                pipe.expire(name, ttl_s)
            pipe.execute()
    for shard in closed:
        _open(client, shard, run)


def _open(client: redis.Redis, shard: int, run: str) -> None:
    """Sets the mark. Raises RedisError where the store was emptied meanwhile, and with it what was just written."""

    def mark(pipe: Pipeline) -> None:
        if pipe.get(_run_key(shard)) != run.encode():
            raise redis.RedisError("The store was emptied while its counters were rebuilt.")
        pipe.multi()
        pipe.set(open_key(shard), run)
        pipe.delete(_run_key(shard))

    client.transaction(mark, _run_key(shard))


def _run_key(shard: int) -> str:
    return f"{shard_prefix(shard)}rebuilding"


def _counters(days: list[date]) -> Iterator[Counter]:
    """Every counter of these days and of their months."""
    tiered = {price.service_id for price in price_book() if not price.tiers.is_flat}
    for day in days:
        yield from _of_day(day)
    for month in sorted({Month.of(day) for day in days}):
        name, rows = f"month:{month.number}", _allowed(month.first_day, month.next.first_day)
        yield from _of_accounts(name, rows)
        yield from _of_own_limits(name, rows)
        yield from _of_units(name, rows, tiered)


def _allowed(first: date, end: date) -> QuerySet[DailyUsage]:
    return DailyUsage.objects.filter(COUNTED, day_on__gte=first, day_on__lt=end).order_by()


def _of_day(day: date) -> Iterator[Counter]:
    rows = _allowed(day, day + timedelta(days=1)).annotate(counted=_COUNTED_ID).values_list("account_id", "counted")
    for account_id, key_id, n in rows.annotate(Sum("n_requests")).iterator():
        yield account_id, f"day:{day_number(day)}", DAY_TTL_S, str(key_id), _DAY.pack(n)


def _of_accounts(name: str, rows: QuerySet[DailyUsage]) -> Iterator[Counter]:
    is_map_load = Q(service__unit=Unit.MAP_LOAD)
    sums = rows.values_list("account_id").annotate(
        requests=Sum("n_requests", filter=~is_map_load, default=0),
        map_loads=Sum("n_requests", filter=is_map_load, default=0),
        spent=Sum("cost_micro_usd"),
    )
    for account_id, n_requests, n_map_loads, spent in sums.iterator():
        yield account_id, name, MONTH_TTL_S, str(account_id), _ACCOUNT.pack(n_requests, n_map_loads, spent)


def _of_own_limits(name: str, rows: QuerySet[DailyUsage]) -> Iterator[Counter]:
    limited = ApiKey.objects.exclude(requests_per_month=None, spend_cap_micro_usd=None)
    counted = limited.values_list(Coalesce("lineage_id", "pk"))
    sums = rows.annotate(counted=_COUNTED_ID).filter(counted__in=counted).values_list("account_id", "counted")
    for account_id, key_id, n, spent in sums.annotate(Sum("n_requests"), Sum("cost_micro_usd")).iterator():
        yield account_id, name, MONTH_TTL_S, f"k{key_id}", _OWN.pack(n, spent)


def _of_units(name: str, rows: QuerySet[DailyUsage], tiered: set[int]) -> Iterator[Counter]:
    sums = rows.filter(service_id__in=tiered).values_list("account_id", "service_id").annotate(Sum("units"))
    for account_id, service_id, units in sums.iterator():
        yield account_id, name, MONTH_TTL_S, f"u{account_id}:{service_id}", _UNITS.pack(units)
