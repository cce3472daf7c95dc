"""Days and months around now, for the counting script and for `Retry-After`. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from goongdash.lib.clock import to_epoch_us
from goongdash.lib.periods import Month, day_number, day_of, day_start

_DAY = struct.Struct(">QII")
_TTL = struct.Struct(">IIII")
# Counters outlive their period by enough for a clock that is off and for a look at yesterday.
DAY_TTL_S = 2 * 86_400
MONTH_TTL_S = 40 * 86_400
# An autocomplete session lasts for so long after its last request; that one has ended is known for longer.
OPEN_SESSION_TTL_S = 300
ENDED_SESSION_TTL_S = 3_600

TTLS = _TTL.pack(DAY_TTL_S, MONTH_TTL_S, OPEN_SESSION_TTL_S, ENDED_SESSION_TTL_S)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a batch was decided, by the store's clock, and for how long its day and month still last."""

    now_us: int
    day_left_s: int
    month_left_s: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """`packed_days` is the script's ARGV[1]; the ends are those of the day and month that `made_at` lies in."""

    made_at_us: int
    packed_days: bytes
    day_end_us: int
    month_end_us: int

    @classmethod
    def around(cls, now: datetime, zone: ZoneInfo) -> Calendar:
        """Yesterday, today and the two days after, as `zone` cuts them."""
        today = day_of(now, zone)
        days = [today + timedelta(days=n) for n in (-1, 0, 1, 2)]
        packed = b"".join(
            _DAY.pack(to_epoch_us(day_start(day, zone)), day_number(day), Month.of(day).number) for day in days
        )
        return cls(
            to_epoch_us(now),
            packed,
            to_epoch_us(day_start(days[2], zone)),
            to_epoch_us(Month.of(today).bounds(zone)[1]),
        )

    def is_stale(self, now_us: int) -> bool:
        return now_us >= self.day_end_us or now_us < self.made_at_us

    def moment(self, now_us: int) -> Moment:
        """This instant, which lies in the day and month that the calendar is made for."""
        return Moment(now_us, whole_seconds(self.day_end_us - now_us), whole_seconds(self.month_end_us - now_us))


def whole_seconds(us: int) -> int:
    """Microseconds as seconds, rounded up, at least one."""
    return max(1, -(-us // 1_000_000))
