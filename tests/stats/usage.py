"""Puts usage into the sums by the road that real usage takes: stream, records, rollup."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from billing.demo import events_push
from stats.events import UsageEvent
from stats.rollups import usage_catch_up
from stats.stream import shard_of


def push_events(events: Iterable[UsageEvent]) -> None:
    """Appends the events to their shards' streams, as the gate would, and waits for nothing to be left behind."""

    def shard(event: UsageEvent) -> int:
        return shard_of(event.account_id)

    for number, of_shard in groupby(sorted(events, key=shard), key=shard):
        events_push(number, list(of_shard))
    usage_catch_up()
