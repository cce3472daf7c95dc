from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from stats.charts import SWATCHES, ServiceFacts, bucket_labels, bucket_title, usage_chart
from stats.outcomes import OUTCOMES, Outcome
from stats.report import usage_report
from stats.series import UsageRow
from tests.stats.test_series import BUCKETS, row, rows

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
CSS = Path(__file__).resolve().parents[2] / "static" / "css" / "statistics.css"
# Services 1 to 4; 5 is one that is gone.
SERVICES = {
    1: ServiceFacts("geocode", "Geocode", "v1", 5),
    2: ServiceFacts("geocode-v2", "Geocode", "v2", 6),
    3: ServiceFacts("map-load", "Map load", "", 14),
    4: ServiceFacts("tiles", "Tiles", "", 18, is_part=True),
}


def chart_of(*some: UsageRow) -> list[tuple[str, list[int], bool]]:
    chart = usage_chart(some, buckets=BUCKETS[:2], services=SERVICES, zone=HANOI)
    return [(series.label, series.values, series.is_off) for series in chart.series]


def test_versions_of_an_api_are_told_apart_and_stacked_in_the_services_order() -> None:
    assert chart_of(row(service_id=2, n=4), row(service_id=1, n=3), row(BUCKETS[1], service_id=1)) == [
        ("Geocode v1", [3, 1], False),
        ("Geocode v2", [4, 0], False),
    ]


def test_refused_requests_are_in_the_bars() -> None:
    assert chart_of(row(n=2), row(outcome=Outcome.RATE_LIMIT, n=5)) == [("Geocode v1", [7, 0], False)]


def test_parts_of_map_loads_are_one_series_that_is_off_beside_others() -> None:
    assert chart_of(row(service_id=4, n=40), row(service_id=3, n=1)) == [
        ("Map load", [1, 0], False),
        ("Parts of map loads", [40, 0], True),
    ]
    assert chart_of(row(service_id=4, n=40)) == [("Parts of map loads", [40, 0], False)]


def test_requests_without_a_known_service_are_in_the_chart_as_well() -> None:
    assert chart_of(row(service_id=None, outcome=Outcome.SERVICE_UNKNOWN, n=2), row(service_id=5)) == [
        ("No such service", [3, 0], False)
    ]


@given(rows)
def test_chart_table_outcomes_and_services_sum_to_the_totals(some: list[UsageRow]) -> None:
    report = usage_report(some, buckets=BUCKETS, services=SERVICES, zone=HANOI)
    n = sum(r.n_requests for r in some)
    assert report.totals.n_requests == n
    assert sum(series.total for series in report.chart.series) == n
    assert sum(total for _, _, total in report.chart.table) == n
    assert sum(line.n_requests for line in report.outcomes) == n
    assert sum(line.totals.n_requests for line in report.services) == n
    assert sum(line.totals.cost_micro_usd for line in report.services) == report.totals.cost_micro_usd
    assert report.n_parts == sum(r.n_requests for r in some if r.service_id == 4)
    if some:
        assert sum(line.percent for line in report.outcomes) == pytest.approx(100)


@given(rows)
def test_chart_has_every_bucket_once(some: list[UsageRow]) -> None:
    chart = usage_chart(some, buckets=BUCKETS, services=SERVICES, zone=HANOI)
    assert len(chart.labels) == len(chart.titles) == len(set(chart.titles)) == len(BUCKETS)
    assert len(chart.table) == (len(BUCKETS) if some else 0)
    assert json.loads(chart.as_json)["series"] == [
        {"key": s.key, "label": s.label, "swatch": s.swatch, "values": s.values, "off": s.is_off} for s in chart.series
    ]


def test_allowed_comes_first_and_then_what_was_refused_most() -> None:
    some = [row(outcome=Outcome.KEY_TYPE, n=2), row(n=1), row(outcome=Outcome.RATE_LIMIT, n=9)]
    outcomes = usage_report(some, buckets=BUCKETS, services=SERVICES, zone=HANOI).outcomes
    assert [(line.label, line.code, line.tone) for line in outcomes] == [
        ("Allowed", "", "good"),
        ("Rate limit", "RATE_LIMIT", "warn"),
        ("Wrong key type", "KEY_TYPE", "bad"),
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_line(outcome: Outcome) -> None:
    (line,) = usage_report([row(outcome=outcome)], buckets=BUCKETS, services=SERVICES, zone=HANOI).outcomes
    assert (line.label, line.status) == (OUTCOMES[outcome].label, OUTCOMES[outcome].status)


def test_days_are_labelled_by_day() -> None:
    assert bucket_labels([date(2026, 11, 1), date(2026, 11, 2)], HANOI) == ["1 Nov", "2 Nov"]
    assert bucket_title(date(2026, 11, 1), HANOI) == "Sun 1 Nov 2026"


def test_hours_are_labelled_by_the_clock_of_the_zone() -> None:
    hour = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert bucket_labels([hour], HANOI) == ["23:00"]
    assert bucket_labels([hour, hour + timedelta(hours=1)], HANOI) == ["23 Nov 23:00", "24 Nov 00:00"]
    assert bucket_title(hour, HANOI) == "Mon 23 Nov 2026, 23:00"


def test_an_hour_that_the_clock_repeats_names_its_offset() -> None:
    new_york = ZoneInfo("America/New_York")
    titles = [bucket_title(datetime(2026, 11, 1, hour, tzinfo=UTC), new_york) for hour in (4, 5, 6, 7)]
    assert titles == [
        "Sun 1 Nov 2026, 00:00",
        "Sun 1 Nov 2026, 01:00 (UTC-0400)",
        "Sun 1 Nov 2026, 01:00 (UTC-0500)",
        "Sun 1 Nov 2026, 02:00",
    ]


def test_services_have_colours_of_their_own_which_the_styles_know() -> None:
    assert len(set(SWATCHES.values())) == len(SWATCHES)
    css = CSS.read_text()
    new = ServiceFacts("isochrone", "Isochrone", "v1", 21)
    for swatch in [*SWATCHES.values(), new.swatch, SERVICES[4].swatch, "unknown"]:
        assert f".swatch-{swatch}" in css
