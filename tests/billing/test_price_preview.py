"""What a price would have made of last month, shown before it is saved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from billing.models import Price, PriceTier
from billing.price_preview import price_preview
from goongdash.lib.clock import utc_now
from keys.models import Service
from tests.billing.books import used
from tests.factories import PASSWORD, T0, make_account

pytestmark = pytest.mark.django_db
ADD = "/admin/billing/price/add/"


def test_preview_tells_whose_bills_change_and_saves_nothing() -> None:
    service = Service.objects.get(slug="geocode")
    much, little, other = make_account(), make_account(), make_account()
    last_month = T0.date() - timedelta(days=30)
    used(much, last_month, 100 * 5_000, units=100)
    used(little, last_month, 10 * 5_000, units=10)
    used(other, last_month, 7_000, service="trip")
    price = Price.objects.create(service=service, price_micro_usd=6_000, effective_on=T0.date())
    PriceTier.objects.create(price=price, from_units=50, price_micro_usd=0)
    found = price_preview(price, T0)
    assert str(found.month) == "2026-10"
    by_account = [(account, repriced.difference_micro_usd) for account, repriced in found.most]
    assert (much, 50 * 6_000 - 100 * 5_000) in by_account and (little, 10 * 1_000) in by_account
    assert (found.n_more >= 1, found.n_less >= 1) == (True, True)


def test_operator_looks_first_and_saves_then() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    service, n_prices = Service.objects.get(slug="geocode"), Price.objects.count()
    day = utc_now().date() + timedelta(days=40)
    fields = {"service": service.pk, "effective_on": day.isoformat(), "price_micro_usd": "6000"}
    fields |= {"tiers-TOTAL_FORMS": "1", "tiers-INITIAL_FORMS": "0"}
    fields |= {"tiers-0-from_units": "1000", "tiers-0-price_micro_usd": "4000"}
    page = client.post(ADD, {**fields, "_preview": "1"})
    text = page.content.decode()
    assert page.status_code == 200 and "Nothing is saved yet" in text
    assert 'name="tiers-0-from_units" value="1000"' in text and "_preview" not in text
    assert Price.objects.count() == n_prices and not PriceTier.objects.exists() and not AuditEntry.objects.exists()
    client.post(ADD, {**fields, "_save": "1"})
    assert Price.objects.get(effective_on=day).tiers.get().price_micro_usd == 4_000
