"""Walks usage down its road in tests: pushes events as the gate's script does, and reads what became of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any, TypeVar

from django.db import connection

from stats.events import UsageEvent, encode_caller, encode_entry, encode_request
from stats.ingest import ingest_all
from stats.models import DailyOriginUsage, DailyUsage, HourlyUsage, MinuteUsage, UsageRecord
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome
from stats.rollups import usage_roll_up
from stats.stream import count_key, redis_client, shard_of, stream_key

T = TypeVar("T")

# What a sum is of, and what it comes to: (account, key, service, outcome, when, requests, units, micro-dollars).
Sum = tuple[Any, ...]


def event_line(event: UsageEvent) -> tuple[Outcome, bytes]:
    """The event as the gate hands it to its script."""
    return event.outcome, encode_request(
        account_id=event.account_id,
        key_id=event.key_id,
        service_id=event.service_id,
        units=event.units,
        price_micro_usd=event.cost_micro_usd,
        would_refuse=event.would_refuse,
    ) + encode_caller(ip=event.ip, origin=event.origin, request_id=event.request_id, page_path=event.page_path)


def push(*events: UsageEvent, per_entry: int = 1) -> None:
    """Appends the events to their shards' streams, those of one instant `per_entry` to an entry."""
    pipe = redis_client().pipeline()
    n_said: dict[int, int] = {}
    for (shard, at), some in groupby(events, key=lambda event: (shard_of(event.account_id), event.at)):
        batch = list(some)
        for start in range(0, len(batch), per_entry):
            lines = [event_line(event) for event in batch[start : start + per_entry]]
            n_before = n_said.setdefault(shard, int(redis_client().get(count_key(shard)) or 0))
            pipe.xadd(stream_key(shard), encode_entry(n_before=n_before, at=at, lines=lines))
            n_said[shard] += len(lines)
            pipe.set(count_key(shard), n_said[shard])
    pipe.execute()


def store(*events: UsageEvent) -> None:
    """Pushes the events and takes them all the way into the sums."""
    push(*events)
    ingest_all()
    roll_up_all()


def roll_up_all() -> int:
    n_records = 0
    while n_new := usage_roll_up():
        n_records += n_new
    return n_records


def copies(event: UsageEvent, n: int, *, apart: timedelta = timedelta()) -> list[UsageEvent]:
    """`n` events like `event` with request ids of their own, each `apart` later than the one before."""
    return [replace(event, at=event.at + i * apart, request_id=f"{event.request_id[:24]}{i:012x}") for i in range(n)]


def as_kept(events: Iterable[UsageEvent]) -> list[tuple[Any, ...]]:
    """What the record table must hold of `events`, all and only this, in order of request id."""
    return sorted(
        (
            e.request_id,
            e.at,
            e.account_id,
            e.key_id,
            e.service_id or None,
            e.outcome,
            e.units,
            e.cost_micro_usd,
            e.ip,
            e.origin,
            e.page_path,
            e.would_refuse,
        )
        for e in events
    )


def records() -> list[tuple[Any, ...]]:
    """Every record that there is, as `as_kept` puts it."""
    rows = UsageRecord.objects.values_list(
        "request_id",
        "at",
        "account_id",
        "key_id",
        "service_id",
        "outcome",
        "units",
        "cost_micro_usd",
        "ip",
        "origin",
        "page_path",
        "would_refuse",
    )
    return sorted((str(row[0]), *row[1:5], BY_NUMBER[row[5]], *row[6:]) for row in rows)


def minutes() -> set[Sum]:
    """Every sum of a minute that there is."""
    return _sums(MinuteUsage.objects.values_list(*_OF_WHAT, "minute_at", *_SUMS))


def hours() -> set[Sum]:
    """Every hourly sum that there is."""
    return _sums(HourlyUsage.objects.values_list(*_OF_WHAT, "hour_at", *_SUMS))


def days() -> set[Sum]:
    """Every daily sum that there is."""
    return _sums(DailyUsage.objects.values_list(*_OF_WHAT, "day_on", *_SUMS))


def origins() -> set[Sum]:
    """Every daily sum of an origin that there is; (day, origin) stands where other sums have their time."""
    rows = DailyOriginUsage.objects.values_list(*_OF_WHAT, "day_on", "origin", *_SUMS)
    return _sums((*row[:4], row[4:6], *row[6:]) for row in rows)


def summed(events: Iterable[UsageEvent], when: Callable[[UsageEvent], Any]) -> set[Sum]:
    """The sums that `events` must come to, all and only these; `when` gives the hour, day, … of an event."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for e in events:
        of_what = (e.account_id, e.key_id, e.service_id or None, OUTCOMES[e.outcome].number, when(e))
        sum_ = sums.setdefault(of_what, [0, 0, 0])
        for i, n in enumerate((1, e.units, e.cost_micro_usd)):
            sum_[i] += n
    return {(*of_what, *sum_) for of_what, sum_ in sums.items()}


def at_once(*works: Callable[[], T]) -> list[T]:
    """Runs the works in threads that set off together, each with a database connection of its own."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        try:
            gate.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


_OF_WHAT = ("account_id", "key_id", "service_id", "outcome")
_SUMS = ("n_requests", "units", "cost_micro_usd")


def _sums(rows: Iterable[Sequence[Any]]) -> set[Sum]:
    found = [tuple(row) for row in rows]
    assert len(set(found)) == len(found), "two sums of the same thing"
    return set(found)
