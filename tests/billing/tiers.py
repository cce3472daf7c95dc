"""Tiers of every shape, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from billing.pricing import Tier, Tiers


@st.composite
def tiers_of(draw: st.DrawFn, max_price: int = 10**6) -> Tiers:
    starts = sorted(draw(st.sets(st.integers(1, 60), max_size=4)))
    prices = [draw(st.integers(0, max_price)) for _ in (0, *starts)]
    return Tiers(tuple(Tier(start, price) for start, price in zip((0, *starts), prices, strict=True)))
