"""The day and month that an instant lies in, as counters and events number them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from goongdash.lib.clock import from_epoch_us, to_epoch_us
from goongdash.lib.periods import Month, day_number, day_of, day_start


@dataclass(frozen=True, slots=True)
class Today:
    """`day` as 20261123 and `month` as 202611, from `start_us` to before `end_us`."""

    day: int
    month: int
    start_us: int
    end_us: int

    @classmethod
    def at(cls, now_us: int, zone: ZoneInfo) -> Today:
        day = day_of(from_epoch_us(now_us), zone)
        return cls(
            day_number(day),
            Month.of(day).number,
            to_epoch_us(day_start(day, zone)),
            to_epoch_us(day_start(day + timedelta(days=1), zone)),
        )

    def holds(self, now_us: int) -> bool:
        return self.start_us <= now_us < self.end_us
