"""The newest price that has begun holds, whatever order prices are given in."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import PricedUnits, PriceOn, Tier, Tiers, month_lines, next_prices, prices_on
from tests.billing.tiers import tiers_of

DAY = date(2026, 11, 23)
PRICES = st.lists(
    st.builds(
        PriceOn,
        service_id=st.integers(1, 3),
        effective_on=st.dates(DAY - timedelta(days=5), DAY + timedelta(days=5)),
        price_micro_usd=st.integers(0, 10**9),
    ),
    unique_by=lambda price: (price.service_id, price.effective_on),
)


@given(PRICES, st.randoms(use_true_random=False))
def test_newest_begun_price_holds_in_any_order(prices: list[PriceOn], random: Random) -> None:
    shuffled = random.sample(prices, len(prices))

    held = prices_on(DAY, shuffled)

    assert held == prices_on(DAY, prices)
    for service_id in (1, 2, 3):
        begun = [p for p in prices if p.service_id == service_id and p.effective_on <= DAY]
        if begun:
            assert held[service_id] == max(begun, key=lambda p: p.effective_on).price_micro_usd
        else:
            assert service_id not in held


def test_price_holds_from_its_very_first_day() -> None:
    prices = [PriceOn(1, DAY, 9), PriceOn(1, DAY - timedelta(days=30), 5)]

    assert prices_on(DAY - timedelta(days=1), prices) == {1: 5}
    assert prices_on(DAY, prices) == {1: 9}
    assert prices_on(DAY - timedelta(days=31), prices) == {}


def test_free_service_has_the_price_zero() -> None:
    assert prices_on(DAY, [PriceOn(1, DAY, 0)]) == {1: 0}


@given(tiers_of(), st.integers(0, 100), st.lists(st.integers(0, 20), max_size=8))
def test_month_split_anywhere_costs_the_same(tiers: Tiers, start: int, parts: list[int]) -> None:
    costs, at = [], start
    for units in parts:
        costs.append(tiers.cost(at, at + units))
        at += units
    assert sum(costs) == tiers.cost(start, at) == tiers.cost(0, at) - tiers.cost(0, start)


@given(tiers_of(), st.integers(0, 100), st.integers(0, 100))
def test_tiers_sum_to_the_whole_and_more_units_never_cost_less(tiers: Tiers, start: int, units: int) -> None:
    parts = list(tiers.split(start, start + units))
    assert sum(part.units for part in parts) == units
    assert sum(part.cost_micro_usd for part in parts) == tiers.cost(start, start + units)
    assert tiers.cost(start, start + units + 1) >= tiers.cost(start, start + units)


@given(tiers_of(), st.integers(0, 100))
def test_each_unit_costs_what_the_tier_of_its_number_says(tiers: Tiers, number: int) -> None:
    """Written the plain way: the last tier that has begun."""
    expected = [tier.price_micro_usd for tier in tiers.tiers if tier.from_units <= number][-1]
    assert tiers.cost(number, number + 1) == expected


@pytest.mark.parametrize("starts", [(), (1,), (0, 5, 5), (0, 9, 3)])
def test_tiers_ascend_from_nought(starts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        Tiers(tuple(Tier(start, 1) for start in starts))


def test_price_that_changes_in_mid_month_splits_it_and_volume_counts_on() -> None:
    old = PriceOn(1, date(2026, 1, 1), 0, (Tier(100, 10),))
    new = PriceOn(1, date(2026, 11, 16), 9, (Tier(150, 5), Tier(1_000, 1)))
    days = [(date(2026, 11, 2), 80), (date(2026, 11, 15), 40), (date(2026, 11, 16), 40), (date(2026, 11, 30), 10)]
    assert month_lines(1, days, [new, old, PriceOn(2, date(2026, 11, 1), 77)]) == [
        PricedUnits(old.effective_on, Tier(0, 0), 100),
        PricedUnits(old.effective_on, Tier(100, 10), 20),
        PricedUnits(new.effective_on, Tier(0, 9), 30),
        PricedUnits(new.effective_on, Tier(150, 5), 20),
    ]


def test_days_before_the_first_price_are_free_and_count_as_volume() -> None:
    price = PriceOn(1, date(2026, 11, 16), 9, (Tier(100, 5),))
    days = [(date(2026, 11, 1), 100), (date(2026, 11, 16), 3)]
    assert month_lines(1, days, [price]) == [PricedUnits(price.effective_on, Tier(100, 5), 3)]


@given(
    st.lists(st.tuples(tiers_of(), st.integers(1, 30)), min_size=1, max_size=3, unique_by=lambda one: one[1]),
    st.lists(st.integers(0, 40), min_size=30, max_size=30),
)
def test_lines_of_a_month_are_all_its_units_and_the_cost_of_each_day(
    changes: list[tuple[Tiers, int]], by_day: list[int]
) -> None:
    book = [PriceOn(1, date(2026, 11, day), tiers.tiers[0].price_micro_usd, tiers.tiers[1:]) for tiers, day in changes]
    lines = month_lines(1, [(date(2026, 11, n), units) for n, units in enumerate(by_day, 1)], book)
    expected, before = 0, 0
    for n, units in enumerate(by_day, 1):
        begun = [(day, tiers) for tiers, day in changes if day <= n]
        if begun:
            expected += max(begun, key=lambda one: one[0])[1].cost(before, before + units)
        before += units
    first = min(day for _, day in changes)
    assert sum(line.units for line in lines) == sum(by_day[first - 1 :])
    assert sum(line.cost_micro_usd for line in lines) == expected


def test_next_price_is_the_first_that_is_yet_to_begin() -> None:
    prices = [PriceOn(1, DAY + timedelta(days=n), n) for n in (-3, 0, 5, 2)] + [PriceOn(2, DAY, 1)]
    assert next_prices(DAY, prices) == {1: prices[3]}
