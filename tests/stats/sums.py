"""What the sums must be, for the tests that take records into them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pytest_django import Settings

from goongdash.lib.periods import day_of
from stats import rollups
from stats.events import UsageEvent
from stats.retention import hours_from, minutes_from
from tests.road import days, hours, minutes, origins, summed

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def hour_of(at: datetime, zone: ZoneInfo = HANOI) -> datetime:
    """The instant at which the hour of `at` began: its minutes on the zone's clock taken away."""
    local = at.astimezone(zone)
    return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def assert_sums_are(events: list[UsageEvent], zone: ZoneInfo = HANOI) -> None:
    """All and only the sums of `events`, at every grain as far as it is kept, none with more origins than fit."""
    today = day_of(rollups.utc_now(), zone)  # type: ignore[attr-defined]
    kept = [event for event in events if day_of(event.at, zone) >= minutes_from(today)]
    assert minutes() == summed(kept, lambda event: event.at.replace(second=0, microsecond=0))
    kept = [event for event in events if day_of(event.at, zone) >= hours_from(today)]
    assert hours() == summed(kept, lambda event: hour_of(event.at, zone))
    assert days() == summed(events, lambda event: day_of(event.at, zone))
    assert origins() == summed(events, lambda event: (day_of(event.at, zone), event.origin))


def set_zone(settings: Settings, name: str) -> ZoneInfo:
    settings.BILLING_TIME_ZONE, settings.BILLING_ZONE = name, ZoneInfo(name)
    return ZoneInfo(name)
