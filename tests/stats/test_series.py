from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.outcomes import Outcome
from stats.periods import hours
from stats.series import Totals, UsageRow, percent, totals_of, zero_filled
from tests.stats.test_periods import some_days, zones

FIRST = date(2026, 11, 1)
BUCKETS = [FIRST + timedelta(days=n) for n in range(10)]


def row(bucket: date = FIRST, service_id: int | None = 1, outcome: Outcome = Outcome.ALLOWED, n: int = 1) -> UsageRow:
    units = n if outcome is Outcome.ALLOWED else 0
    return UsageRow(bucket, service_id, outcome, n, units, 5_000 * units)


rows = st.lists(
    st.builds(
        row,
        st.sampled_from(BUCKETS),
        st.one_of(st.none(), st.integers(1, 5)),
        st.sampled_from(Outcome),
        st.integers(1, 10**12),
    ),
    max_size=60,
)


def test_where_nothing_happened_there_is_a_zero() -> None:
    filled = zero_filled([row(BUCKETS[2], n=7)], BUCKETS, lambda r: r.service_id)
    assert filled == {1: [0, 0, 7, 0, 0, 0, 0, 0, 0, 0]}


def test_no_rows_make_no_series() -> None:
    assert zero_filled([], BUCKETS, lambda r: r.service_id) == {}


@pytest.mark.parametrize("buckets", [BUCKETS, []])
def test_a_row_before_all_buckets_is_no_silent_loss(buckets: list[date]) -> None:
    with pytest.raises(ValueError, match="No bucket for 2026-10-31"):
        zero_filled([row(date(2026, 10, 31))], buckets, lambda r: r.service_id)


@given(rows)
def test_series_sum_to_the_total(some: list[UsageRow]) -> None:
    filled = zero_filled(some, BUCKETS, lambda r: r.service_id)
    assert sum(map(sum, filled.values())) == totals_of(some).n_requests
    assert all(len(values) == len(BUCKETS) for values in filled.values())


@given(rows)
def test_each_bucket_has_what_its_rows_have(some: list[UsageRow]) -> None:
    filled = zero_filled(some, BUCKETS, lambda r: r.outcome)
    for place, bucket in enumerate(BUCKETS):
        assert sum(values[place] for values in filled.values()) == sum(r.n_requests for r in some if r.bucket == bucket)


@given(some_days, st.data(), zones)
def test_every_hour_is_filled_once_whatever_the_clocks_do(first: date, data: st.DataObject, zone: ZoneInfo) -> None:
    every = list(hours(first, first + timedelta(days=1), zone))
    chosen = data.draw(st.lists(st.sampled_from(every), max_size=30))
    filled = zero_filled([row(hour) for hour in chosen], every, lambda r: 0)
    assert filled.get(0, [0] * len(every)) == [chosen.count(hour) for hour in every]


def test_totals_tell_allowed_from_refused() -> None:
    totals = totals_of([row(n=3), row(outcome=Outcome.RATE_LIMIT), row(service_id=None, outcome=Outcome.KEY_TYPE)])
    assert totals == Totals(n_requests=5, n_allowed=3, units=3, cost_micro_usd=15_000)
    assert (totals.n_refused, totals.percent_refused) == (2, 40.0)


def test_a_share_of_nothing_is_zero() -> None:
    assert percent(0, 0) == 0.0
    assert percent(1, 8) == 12.5
