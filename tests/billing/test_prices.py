from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from billing.models import MAX_PRICE_MICRO_USD, Price, PriceTier
from keys.limits import MAX_ELEMENTS
from keys.models import Service, Unit

pytestmark = pytest.mark.django_db


def price_of(slug: str, price_micro_usd: int) -> Price:
    service = Service.objects.get(slug=slug)
    return Price(service=service, effective_on=date(2030, 1, 1), price_micro_usd=price_micro_usd)


def test_price_of_an_element_leaves_room_for_the_largest_matrix() -> None:
    Service.objects.filter(slug="distance-matrix").update(unit=Unit.ELEMENT)
    most = MAX_PRICE_MICRO_USD // MAX_ELEMENTS
    price_of("distance-matrix", most).full_clean()
    for wrong in (
        price_of("distance-matrix", most + 1),
        PriceTier(price=price_of("distance-matrix", 1), from_units=10, price_micro_usd=most + 1),
    ):
        with pytest.raises(ValidationError, match="for one"):
            wrong.clean()


def test_other_prices_are_bounded_by_the_record_alone() -> None:
    price_of("geocode", MAX_PRICE_MICRO_USD).full_clean()
    with pytest.raises(ValidationError):
        price_of("geocode", MAX_PRICE_MICRO_USD + 1).full_clean()
