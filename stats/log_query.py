"""What of the request log is asked for: filters, a stretch of time, and a cursor. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from goongdash.lib.clock import from_epoch_us, to_epoch_us

_TIME_MAX_US = 253_370_000_000_000_000
_ID_MAX = 2**63


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records: next to the record with this time and id. As text it goes into a URL."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{to_epoch_us(self.at.astimezone(UTC))}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """The position of such a text; None for any other text."""
        at_us, _, number = text.partition(".")
        if not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in (at_us, number)):
            return None
        if int(at_us) > _TIME_MAX_US or int(number) >= _ID_MAX:
            return None
        return cls(from_epoch_us(int(at_us)), int(number))


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The defaults ask for everything, newest first.

    `service_id` 0 is no service at all; `outcomes` are numbers; `origin` is any part of one; `would_refuse`
    asks for what passed for the key's list was for report only. The log is read from
    `first` (included) to `last` (not), and of that what is before or after a record.
    """

    key_id: int | None = None
    key_type: str = ""
    service_id: int | None = None
    outcomes: tuple[int, ...] | None = None
    origin: str = ""
    names_no_origin: bool = False
    would_refuse: bool = False
    first: datetime | None = None
    last: datetime | None = None
    before: Position | None = None
    after: Position | None = None

    @property
    def is_known_to_sums(self) -> bool:
        """Whether the hourly and daily sums tell where there may be records that fit."""
        return self.key_id is not None or bool(self.key_type) or self.service_id is not None or bool(self.outcomes)

    @property
    def is_narrowed(self) -> bool:
        """Whether there are records in its stretch of time that it does not ask for."""
        return self.is_known_to_sums or bool(self.origin) or self.names_no_origin or self.would_refuse
