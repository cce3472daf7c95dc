"""What the sums must be, for the tests that take records into them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pytest_django import Settings

from goongdash.lib.periods import day_of
from stats.events import UsageEvent
from tests.road import days, hours, summed

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def hour_of(at: datetime, zone: ZoneInfo = HANOI) -> datetime:
    """The instant at which the hour of `at` began: its minutes on the zone's clock taken away."""
    local = at.astimezone(zone)
    return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def assert_sums_are(events: list[UsageEvent], zone: ZoneInfo = HANOI) -> None:
    """All and only the sums of `events`, hours and days alike."""
    assert hours() == summed(events, lambda at: hour_of(at, zone))
    assert days() == summed(events, lambda at: day_of(at, zone))


def set_zone(settings: Settings, name: str) -> ZoneInfo:
    settings.BILLING_TIME_ZONE, settings.BILLING_ZONE = name, ZoneInfo(name)
    return ZoneInfo(name)
