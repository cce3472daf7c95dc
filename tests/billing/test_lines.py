"""The lines of a bill add up, whatever the tiers, the price changes and the gates said."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.lines import Line, LineKind, UsedUnits, bill, price_days
from billing.pricing import PriceOn, Tier, month_lines
from goongdash.lib.periods import Month
from tests.billing.tiers import tiers_of

OCTOBER = Month(2026, 10)
FIRST = OCTOBER.first_day


@st.composite
def books(draw: st.DrawFn) -> list[PriceOn]:
    days = draw(st.sets(st.integers(-20, 40), max_size=5))
    prices = []
    for service in (1, 2):
        for day in days:
            if draw(st.booleans()):
                tiers = draw(tiers_of()).tiers
                prices.append(PriceOn(service, FIRST + timedelta(day), tiers[0].price_micro_usd, tiers[1:]))
    return prices


DAYS = st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 30), st.integers(0, 40)), max_size=12)


def parted(daily: list[tuple[int, int, int]], prices: list[PriceOn], more: int = 0) -> list[UsedUnits]:
    """As the query does it: units summed up between the days on which some price changes."""
    starts = price_days(OCTOBER, prices)
    sums: dict[tuple[int, date], int] = {}
    for service, n, units in daily:
        since = max(start for start in starts if start <= FIRST + timedelta(n))
        sums[service, since] = sums.get((service, since), 0) + units
    return [UsedUnits(service, since, units, units + more) for (service, since), units in sums.items()]


@given(DAYS, books(), st.integers(-50, 50), st.integers(0, 10**7))
def test_lines_add_up_to_the_ledger_and_to_the_credit(
    daily: list[tuple[int, int, int]], prices: list[PriceOn], late: int, credit: int
) -> None:
    used = parted(daily, prices)
    charged = sum(part.cost_micro_usd for part in used)
    gross = charged + late
    paid = max(0, min(credit, gross))

    lines = bill(OCTOBER, used, prices, usage_micro_usd=charged, late={date(2026, 9, 1): late}, credit_micro_usd=paid)

    assert sum(line.amount_micro_usd for line in lines) == gross
    assert sum(line.credit_micro_usd for line in lines) == paid
    assert sum(line.net_micro_usd for line in lines) == gross - paid
    assert sum(line.units for line in lines) == sum(units for _, _, units in daily)
    assert all(0 <= line.credit_micro_usd <= max(0, line.amount_micro_usd) for line in lines)
    assert all(FIRST <= line.first_on <= line.last_on <= OCTOBER.last_day for line in lines if line.kind != "late")


@given(DAYS, books())
def test_units_are_priced_as_day_by_day(daily: list[tuple[int, int, int]], prices: list[PriceOn]) -> None:
    lines = bill(OCTOBER, parted(daily, prices), prices, usage_micro_usd=0, late={}, credit_micro_usd=0)

    for service in (1, 2):
        by_day = sorted((FIRST + timedelta(n), units) for s, n, units in daily if s == service)
        priced = sum(part.cost_micro_usd for part in month_lines(service, by_day, prices))
        of_service = [line for line in lines if line.service_id == service and line.kind is LineKind.USAGE]
        assert sum(line.amount_micro_usd for line in of_service) == priced
        for line in of_service:
            assert line.amount_micro_usd == line.units * (line.unit_price_micro_usd or 0)


def test_price_change_in_mid_month_parts_the_lines_and_volume_counts_on() -> None:
    prices = [PriceOn(1, date(2020, 1, 1), 10, (Tier(5, 8),)), PriceOn(1, date(2026, 10, 16), 20, (Tier(8, 2),))]
    used = [UsedUnits(1, FIRST, 6, 58), UsedUnits(1, date(2026, 10, 16), 4, 44)]

    lines = bill(OCTOBER, used, prices, usage_micro_usd=102, late={}, credit_micro_usd=60)

    first, change = (FIRST, date(2026, 10, 15)), (date(2026, 10, 16), date(2026, 10, 31))
    assert lines == [
        Line(LineKind.USAGE, 1, *first, 0, 10, 5, 50, 50),
        Line(LineKind.USAGE, 1, *first, 5, 8, 1, 8, 8),
        Line(LineKind.USAGE, 1, *change, 0, 20, 2, 40, 2),
        Line(LineKind.USAGE, 1, *change, 8, 2, 2, 4, 0),
    ]


def test_what_no_price_explains_is_a_line_of_its_own() -> None:
    prices = [PriceOn(1, date(2020, 1, 1), 10)]

    lines = bill(
        OCTOBER,
        [UsedUnits(1, FIRST, 2, 23), UsedUnits(None, FIRST, 0, 4)],
        prices,
        usage_micro_usd=30,
        late={date(2026, 8, 1): 7},
        credit_micro_usd=0,
    )

    assert [(line.kind, line.service_id, line.amount_micro_usd) for line in lines] == [
        (LineKind.USAGE, 1, 20),
        (LineKind.DIFFERENCE, 1, 3),
        (LineKind.DIFFERENCE, None, 4),
        (LineKind.DIFFERENCE, None, 3),
        (LineKind.LATE, None, 7),
    ]
    assert (lines[-1].first_on, lines[-1].last_on) == (date(2026, 8, 1), date(2026, 8, 31))


def test_units_of_days_without_a_price_are_free_and_on_a_line() -> None:
    prices = [PriceOn(1, date(2026, 10, 20), 10)]
    used = [UsedUnits(1, FIRST, 3, 0), UsedUnits(1, date(2026, 10, 20), 2, 20)]

    free, paid = bill(OCTOBER, used, prices, usage_micro_usd=20, late={}, credit_micro_usd=0)

    assert free == Line(LineKind.USAGE, 1, FIRST, date(2026, 10, 19), 0, 0, 3, 0)
    assert paid == Line(LineKind.USAGE, 1, date(2026, 10, 20), date(2026, 10, 31), 0, 10, 2, 20)
