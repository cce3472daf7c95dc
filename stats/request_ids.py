"""Reads request ids: finds one in what somebody pasted, and the time that is in it. Pure.

The gate makes them (`gate/request_ids.py`): UUIDs of version 7 (RFC 9562), whose first 48 bits are the time in
milliseconds. So a record is found by its id without an index of ids, which every record would have to pay for.
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from goongdash.lib.clock import from_epoch_us, to_epoch_us

MAX_PASTED = 10_000

_UUID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])", re.IGNORECASE)
# Beyond the year 9998 no record can be.
_TIME_MAX_MS = 253_370_000_000_000
_VERSION = 7


def request_id_in(text: str) -> UUID | None:
    """The request id in a pasted text: the id alone, a header line, the body of an answer; None where there is none.

    One that the gate may have made comes before any other id that stands there.
    """
    found = [UUID(match) for match in _UUID.findall(text[:MAX_PASTED])]
    return next((each for each in found if request_time(each) is not None), found[0] if found else None)


def request_time(request_id: UUID) -> datetime | None:
    """When the gate took the request in, by the gate's own clock; None for an id that no gate has made."""
    millisecond = request_id.int >> 80
    if request_id.version != _VERSION or millisecond > _TIME_MAX_MS:
        return None
    return from_epoch_us(millisecond * 1_000)


def request_id_at(at: datetime, noise: int) -> UUID:
    """An id as the gate would make it at that time; `noise` is what tells it from others of its millisecond."""
    bits = (to_epoch_us(at) // 1_000) << 80 | _VERSION << 76 | 0b10 << 62
    return UUID(int=bits | (noise >> 62 & 0xFFF) << 64 | noise & (1 << 62) - 1)
