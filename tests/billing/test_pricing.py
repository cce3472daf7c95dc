"""The newest price that has begun holds, whatever order prices are given in."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing.pricing import PriceOn, prices_on

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
