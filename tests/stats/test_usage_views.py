from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from stats.forms import UsageFilters
from stats.outcomes import Outcome
from stats.periods import Grain
from stats.queries import OTHER, Dimension, Measure
from stats.spans import SpanName, named_span
from stats.usage_views import ChartKind, UsageView, filters_of, group_text
from tests.factories import T0

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def view(name: SpanName = SpanName.WEEK, **options: object) -> UsageView:
    return UsageView(name, named_span(name, now=T0, zone=HANOI), **options)  # type: ignore[arg-type]


def test_what_is_usual_goes_without_saying() -> None:
    assert view().url_query == "period=7d"


def test_url_says_all_else() -> None:
    shown = view(
        grain=Grain.HOUR,
        by=Dimension.OUTCOME,
        measure=Measure.COST,
        kind=ChartKind.LINES,
        filters={Dimension.KEY: ("7", "8"), Dimension.ORIGIN: ("https://a.example", "-")},
    )
    assert shown.url_query == (
        "period=7d&grain=hour&by=outcome&measure=cost&chart=lines&key=7&key=8&origin=https%3A%2F%2Fa.example&origin=-"
    )


@pytest.mark.parametrize(
    "query",
    [
        "period=1h&measure=refusals",
        "period=90d&grain=month&by=type",
        "from=2026-11-01&to=2026-11-05&by=origin&type=rest&type=tiles",
        "period=today&by=outcome&chart=lines&outcome=rate_limit&origin=-&country=VN",
    ],
)
def test_url_that_is_read_is_written_again(query: str) -> None:
    filters = UsageFilters(QueryDict(query), keys=[], services=[], now=T0)
    assert filters.is_valid(), filters.errors
    assert filters.view.url_query == query


def test_query_has_every_filter_by_what_it_means() -> None:
    asked = view(
        filters={
            Dimension.KEY: ("7",),
            Dimension.SERVICE: ("geocode", "-"),
            Dimension.OUTCOME: ("rate_limit",),
            Dimension.ORIGIN: ("-",),
        }
    ).query(3, {"geocode": 11}, HANOI)
    assert (asked.account_id, sorted(asked.keys), asked.services) == (3, [7], frozenset({11, None}))
    assert (list(asked.outcomes), list(asked.origins), asked.grain) == ([Outcome.RATE_LIMIT], [""], Grain.DAY)


def test_what_is_known_by_the_day_is_asked_for_by_whole_days() -> None:
    shown = view(SpanName.DAY, by=Dimension.COUNTRY, grain=Grain.HOUR)
    query = shown.query(1, {}, HANOI)
    assert query.grain is Grain.DAY
    assert (query.start, query.end) == shown.span.days.bounds(HANOI)


def test_grain_that_does_not_fit_gives_way_to_the_usual_one() -> None:
    assert view(SpanName.NINETY_DAYS, grain=Grain.MINUTE).grain_shown(HANOI) is Grain.DAY


def test_drilling_in_holds_to_the_group_and_tells_apart_what_is_next() -> None:
    drilled = view(by=Dimension.KEY).drilled("7")
    assert (drilled.by, drilled.filters) == (Dimension.SERVICE, {Dimension.KEY: ("7",)})
    further = drilled.drilled("geocode")
    assert further.filters == {Dimension.KEY: ("7",), Dimension.SERVICE: ("geocode",)}
    # The key is chosen already: it would be one bar.
    assert further.by not in further.filters


def test_a_filter_can_be_taken_away() -> None:
    shown = view(filters={Dimension.KEY: ("7", "8")}).without(Dimension.KEY, "7")
    assert shown.filters == {Dimension.KEY: ("8",)}


def test_values_are_kept_once_and_empty_filters_are_none() -> None:
    assert filters_of([(Dimension.KEY, ["7", "7"]), (Dimension.TYPE, [])]) == {Dimension.KEY: ("7",)}


def test_groups_are_named_as_filters_name_them() -> None:
    assert group_text(Dimension.SERVICE, 11, {11: "geocode"}) == "geocode"
    assert group_text(Dimension.SERVICE, None, {}) == group_text(Dimension.ORIGIN, "", {}) == "-"
    assert group_text(Dimension.OUTCOME, Outcome.RATE_LIMIT, {}) == "rate_limit"
    assert group_text(Dimension.KEY, 7, {}) == "7"
    assert OTHER is not None
