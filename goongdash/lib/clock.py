"""The one place that asks for the time. Everything pure takes `now` as an argument instead."""

from __future__ import annotations

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def from_epoch_us(epoch_us: int) -> datetime:
    """The instant `epoch_us` microseconds after 1970, exact to the microsecond."""
    seconds, micro = divmod(epoch_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)


def to_epoch_us(instant: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
