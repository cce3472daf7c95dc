"""Which spooled events are records already. The store knows it of each batch, unless it has lost its memory."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta
from uuid import UUID

from stats.events import Replay, StreamEntry, read_head
from stats.models import UsageRecord

# By how much the clocks of a gate and of the store may differ.
CLOCKS_APART = timedelta(hours=1)


def entry_new(entry: StreamEntry, *, known: Container[bytes] = ()) -> StreamEntry:
    """`entry` with those of its events that have no record yet; what the store counted as it came never has one.

    What was spooled has its request ids for its own. A record of it has the spooled time, or, where the store
    counted it and the answer was lost, the store's time of then or later. Those in `known` are about to have one.
    """
    if entry.replay is None:
        return entry
    window = {"at": entry.at} if entry.replay is Replay.SURE else {"at__gte": entry.at - CLOCKS_APART}
    request_ids = [UUID(bytes=packed) for packed in entry.request_ids]
    found = UsageRecord.objects.filter(
        account_id__in={read_head(head).account_id for head in entry.heads}, request_id__in=request_ids, **window
    )
    stored = set(found.values_list("request_id", flat=True))
    return entry.only([each not in stored and each.bytes not in known for each in request_ids])
