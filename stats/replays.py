"""Which spooled events are records already. The store knows it of each batch, unless it has lost its memory."""

from __future__ import annotations

from datetime import timedelta

from stats.events import Replay, StreamEntry, UsageEvent
from stats.models import UsageRecord

# By how much the clocks of a gate and of the store may differ.
CLOCKS_APART = timedelta(hours=1)


def events_new(entry: StreamEntry) -> list[UsageEvent]:
    """The events of `entry` that have no record yet; those that the store counted as they came never have one.

    What was spooled has its request ids for its own. A record of it has the spooled time, or, where the store
    counted it and the answer was lost, the store's time of then or later.
    """
    if entry.replay is None or not entry.events:
        return list(entry.events)
    at = entry.events[0].at
    window = {"at": at} if entry.replay is Replay.SURE else {"at__gte": at - CLOCKS_APART}
    known = UsageRecord.objects.filter(
        account_id__in={event.account_id for event in entry.events},
        request_id__in=[event.request_id for event in entry.events],
        **window,
    ).values_list("request_id", flat=True)
    stored = {str(request_id) for request_id in known}
    return [event for event in entry.events if event.request_id not in stored]
