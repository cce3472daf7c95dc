"""How long a key and the one that takes its place work side by side. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Overlap(StrEnum):
    """What is offered; the values are what forms and commands say."""

    NONE = "none"
    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def length(self) -> timedelta:
        return _LENGTHS[self.value]


class Quiet(StrEnum):
    """After how long without a request the old key is retired before its time."""

    NEVER = "never"
    HOUR = "1h"
    DAY = "24h"

    @property
    def length(self) -> timedelta | None:
        return None if self is Quiet.NEVER else _LENGTHS[self.value]


_LENGTHS = {
    "none": timedelta(0),
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
}


def overlap_ends_at(now: datetime, overlap: Overlap, expires_at: datetime | None) -> datetime:
    """When the old key ends: never after its own expiry."""
    ends_at = now + overlap.length
    return ends_at if expires_at is None else min(ends_at, expires_at)


def successor_expires_at(now: datetime, created_at: datetime, expires_at: datetime | None) -> datetime | None:
    """The expiry of the new key: as long from now as the old one had been given, so that rotating renews."""
    return None if expires_at is None else now + max(expires_at - created_at, timedelta(0))
