from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Account
from keys.models import Service
from keys.services import CreatedKey
from stats.models import DailyUsage, HourlyUsage
from stats.outcomes import Outcome
from stats.periods import EXPORT_GRAINS, Grain, Period
from stats.selectors import usage_counted_at, usage_rows, usage_sums
from stats.series import UsageRow, totals_of
from tests.factories import T0, make_event, make_key
from tests.stats.usage import push_events

TODAY = date(2026, 11, 23)
ONE_DAY = Period(TODAY, TODAY)
WEEK = Period(TODAY - timedelta(days=6), TODAY)
GEOCODE = "geocode"


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice)


def service_id(slug: str) -> int:
    return Service.objects.get(slug=slug).pk


def test_rows_by_day_have_what_was_pushed(alice: Account, key: CreatedKey) -> None:
    yesterday = T0 - timedelta(days=1)
    push_events(
        [
            make_event(key, at=yesterday),
            make_event(key),
            make_event(key),
            make_event(key, outcome=Outcome.RATE_LIMIT),
            make_event(key, "trip", cost_micro_usd=10_000),
        ]
    )
    assert sorted(usage_rows(account=alice, period=WEEK), key=repr) == sorted(
        [
            UsageRow(TODAY - timedelta(days=1), service_id(GEOCODE), Outcome.ALLOWED, 1, 1, 5_000),
            UsageRow(TODAY, service_id(GEOCODE), Outcome.ALLOWED, 2, 2, 10_000),
            UsageRow(TODAY, service_id(GEOCODE), Outcome.RATE_LIMIT, 1, 0, 0),
            UsageRow(TODAY, service_id("trip"), Outcome.ALLOWED, 1, 1, 10_000),
        ],
        key=repr,
    )


def test_rows_of_a_short_period_are_by_hour(alice: Account, key: CreatedKey) -> None:
    push_events(
        [make_event(key), make_event(key, at=T0 + timedelta(minutes=59)), make_event(key, at=T0 + timedelta(hours=1))]
    )
    rows = usage_rows(account=alice, period=ONE_DAY)
    assert [(row.bucket, row.n_requests) for row in rows] == [(T0, 2), (T0 + timedelta(hours=1), 1)]


@pytest.mark.parametrize("period", [ONE_DAY, Period(TODAY - timedelta(days=2), TODAY)], ids=["hours", "days"])
def test_a_period_begins_and_ends_at_midnight_of_the_zone(alice: Account, key: CreatedKey, period: Period) -> None:
    start, end = period.bounds(ZoneInfo("Asia/Ho_Chi_Minh"))
    tick = timedelta(microseconds=1)
    push_events([make_event(key, at=at) for at in (start - tick, start, end - tick, end)])
    assert totals_of(usage_rows(account=alice, period=period)).n_requests == 2


def test_rows_of_other_accounts_are_not_there(alice: Account, charlie: Account, key: CreatedKey) -> None:
    push_events([make_event(key), make_event(make_key(charlie))])
    assert totals_of(usage_rows(account=alice, period=WEEK)).n_requests == 1
    assert usage_rows(account=alice, period=WEEK, key=make_key(charlie).key) == []


def test_rows_of_one_key(alice: Account, key: CreatedKey) -> None:
    other = make_key(alice)
    push_events([make_event(key), make_event(other), make_event(other)])
    assert totals_of(usage_rows(account=alice, period=WEEK, key=key.key)).n_requests == 1
    assert totals_of(usage_rows(account=alice, period=WEEK, key=other.key)).n_requests == 2


def test_hours_and_days_of_a_period_say_the_same(alice: Account, key: CreatedKey) -> None:
    push_events([make_event(key, at=T0 + timedelta(hours=n)) for n in range(-40, 10, 3)])
    two_days = Period(TODAY - timedelta(days=1), TODAY)
    by_hour = usage_sums(account=alice, period=two_days, grain=Grain.HOUR)
    by_day = usage_sums(account=alice, period=two_days, grain=Grain.DAY)
    assert sum(by_hour.values_list("n_requests", flat=True)) == sum(by_day.values_list("n_requests", flat=True))
    assert totals_of(usage_rows(account=alice, period=two_days)).n_requests == len(range(-33, 10, 3))


@pytest.mark.parametrize("grain", EXPORT_GRAINS)
def test_sums_are_found_by_the_index_that_begins_with_the_account(
    alice: Account, key: CreatedKey, grain: Grain
) -> None:
    push_events([make_event(key)])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = usage_sums(account=alice, period=WEEK, grain=grain, key=key.key).explain()
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_summer_time_shifts_no_hour_out_of_its_day(alice: Account, key: CreatedKey, settings: Settings) -> None:
    settings.BILLING_TIME_ZONE = "America/New_York"
    settings.BILLING_ZONE = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)  # Half past midnight; the day has 25 hours.
    push_events([make_event(key, at=first + timedelta(hours=n)) for n in range(25)])
    rows = usage_rows(account=alice, period=Period(date(2026, 11, 1), date(2026, 11, 1)))
    assert [row.n_requests for row in rows] == [1] * 25


def test_counted_at_is_the_time_of_the_last_rollup(alice: Account, key: CreatedKey) -> None:
    assert usage_counted_at(alice) is None
    push_events([make_event(key)])
    assert usage_counted_at(alice) is not None
    assert (HourlyUsage.objects.count(), DailyUsage.objects.count()) == (1, 1)
