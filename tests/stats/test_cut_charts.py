from __future__ import annotations

import json
from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from stats.cut_charts import CutChart, GroupName, cut_chart, cut_series, measured, with_credit_line
from stats.outcomes import Outcome
from stats.overview import change, group_lines, outcome_lines
from stats.queries import OTHER, Group, Measure, UsageCell, UsageCut
from stats.series import Totals

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
DAYS = [date(2026, 11, day) for day in (21, 22, 23)]
NAMES: dict[Group, GroupName] = {
    1: GroupName("Geocode v1", "3", "geocode"),
    2: GroupName("Trip", "8", "trip"),
    3: GroupName("Tiles", "parts", "tiles", is_part=True),
    OTHER: GroupName("All others", "parts"),
}
cells = st.builds(
    UsageCell,
    st.sampled_from(DAYS),
    st.sampled_from(list(NAMES)),
    st.builds(
        lambda n, refused, units, cost: Totals(n + refused, n, units, cost),
        *(st.integers(0, 1_000) for _ in range(4)),
    ),
)


def cut_of(some: list[UsageCell]) -> UsageCut:
    return UsageCut(tuple(some), tuple(dict.fromkeys(cell.group for cell in some)))


def chart_of(some: list[UsageCell], measure: Measure = Measure.REQUESTS) -> CutChart:
    series = cut_series(
        cut_of(some),
        buckets=DAYS,
        measure=measure,
        names=NAMES,
        parts_label="Parts",
        href_of=lambda name: f"?{name.text}",
    )
    return cut_chart(
        series, buckets=DAYS, measure=measure, is_lines=False, zone=HANOI, hrefs=["a", "b", ""], unfinished=2
    )


@given(st.lists(cells, max_size=20), st.sampled_from(Measure))
def test_chart_table_and_groups_sum_to_the_whole(some: list[UsageCell], measure: Measure) -> None:
    cut, chart = cut_of(some), chart_of(some, measure)
    whole = measured(cut.totals, measure)
    assert chart.total == sum(values[-1] for _, _, values in chart.table) == whole
    assert sum(measured(line.totals, measure) for line in group_lines(cut, NAMES, measure, lambda name: "")) == whole
    assert all(len(series.values) == len(DAYS) for series in chart.series)


def test_groups_keep_their_order_and_all_others_come_with_them() -> None:
    some = [UsageCell(DAYS[0], group, Totals(1, 1, 1, 5)) for group in (2, 1, OTHER)]
    assert [series.label for series in chart_of(some).series] == ["Trip", "Geocode v1", "All others"]
    assert [series.href for series in chart_of(some).series] == ["?trip", "?geocode", ""]


def test_parts_of_maps_are_one_series_that_is_off_beside_others() -> None:
    part = UsageCell(DAYS[0], 3, Totals(9, 9, 0, 0))
    assert [(s.label, s.is_off) for s in chart_of([part]).series] == [("Parts", False)]
    both = chart_of([part, UsageCell(DAYS[1], 1, Totals(1, 1, 1, 5))])
    assert [(s.label, s.values, s.is_off) for s in both.series] == [
        ("Geocode v1", [0, 1, 0], False),
        ("Parts", [9, 0, 0], True),
    ]


def test_groups_without_any_of_what_is_measured_are_left_out() -> None:
    some = [UsageCell(DAYS[0], 1, Totals(5, 5, 5, 25)), UsageCell(DAYS[0], 2, Totals(5, 4, 4, 20))]
    assert [series.label for series in chart_of(some, Measure.REFUSALS).series] == ["Trip"]


def test_script_gets_money_as_whole_micro_dollars_and_what_is_unfinished() -> None:
    drawn = json.loads(chart_of([UsageCell(DAYS[2], 1, Totals(1, 1, 1, 5_000))], Measure.COST).as_json)
    assert drawn["series"][0]["values"] == [0, 0, 5_000]
    assert (drawn["money"], drawn["unfinished"], drawn["hrefs"]) == (True, 2, ["a", "b", ""])


def test_credit_left_falls_within_a_month_begins_anew_and_is_not_known_ahead() -> None:
    days = [date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)]
    chart = with_credit_line(
        chart_of([]),
        days=days,
        spent_by_day={date(2026, 10, 1): 30, date(2026, 10, 30): 50, date(2026, 10, 31): 40, date(2026, 11, 1): 10},
        credit_micro_usd=100,
        today=date(2026, 11, 1),
    )
    assert chart.credit_left == [20, 0, 90, None]


def test_change_is_in_whole_percent_and_none_against_nothing() -> None:
    changes = [change(before, now).percent for before, now in ((0, 5), (4, 4), (3, 4), (200, 1), (1, 1_000))]
    assert changes == [None, 0, 33, -100, 99_900]
    assert change(200, 99).percent == -51


def test_allowed_comes_first_and_then_what_was_refused_most() -> None:
    totals: dict[Outcome, Totals] = {
        Outcome.RATE_LIMIT: Totals(2, 0, 0, 0),
        Outcome.KEY_TYPE: Totals(7, 0, 0, 0),
        Outcome.ALLOWED: Totals(1, 1, 1, 5),
    }
    lines = outcome_lines(totals)
    assert [line.outcome for line in lines] == [Outcome.ALLOWED, Outcome.KEY_TYPE, Outcome.RATE_LIMIT]
    assert [line.percent for line in lines] == [10.0, 70.0, 20.0]
