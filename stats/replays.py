"""Which spooled events are records already. The store knows it of each batch, unless it has lost its memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from stats.events import EventLine, Replay, StreamEntry
from stats.models import UsageRecord

# By how much the clocks of a gate and of the store may differ.
CLOCKS_APART = timedelta(hours=1)


def lines_new(entry: StreamEntry) -> Sequence[EventLine]:
    """The lines of `entry` that have no record yet; those that the store counted as they came never have one.

    What was spooled has its request ids for its own. A record of it has the spooled time, or, where the store
    counted it and the answer was lost, the store's time of then or later.
    """
    if entry.replay is None or not entry.lines:
        return entry.lines
    window = {"at": entry.at} if entry.replay is Replay.SURE else {"at__gte": entry.at - CLOCKS_APART}
    known = UsageRecord.objects.filter(
        account_id__in={line.head.account_id for line in entry.lines},
        request_id__in=[line.request_id for line in entry.lines],
        **window,
    ).values_list("request_id", flat=True)
    stored = {str(request_id) for request_id in known}
    return [line for line in entry.lines if line.request_id not in stored]
