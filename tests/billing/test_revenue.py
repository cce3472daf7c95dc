from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from billing.ledger import entry_post
from billing.models import EntryKind
from billing.revenue import revenue_overview
from tests.billing.books import NOVEMBER, USD, old_account, used
from tests.factories import PASSWORD, T0

pytestmark = pytest.mark.django_db


def test_months_add_up_what_all_accounts_used_and_paid(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first, second = old_account(), old_account()
    used(first, T0.date(), 3 * USD, units=2)
    used(second, T0.date(), 5 * USD, service="trip")
    used(second, T0.date() - timedelta(days=40), 7 * USD)
    entry_post(account=first, month=NOVEMBER, kind=EntryKind.DEPOSIT, amount_micro_usd=20 * USD, source="bank 1")
    entry_post(account=first, month=NOVEMBER, kind=EntryKind.REFUND, amount_micro_usd=-USD, source="back 1")
    # Usage, ledger, statements, accounts that used; services; the largest, their accounts.
    with django_assert_num_queries(7):
        found = revenue_overview(T0)
    november, october, *others = found.months
    assert (november.n_accounts, november.n_requests, november.used_micro_usd) == (2, 3, 8 * USD)
    assert (november.deposits_micro_usd, november.refunds_micro_usd) == (20 * USD, -USD)
    assert (october.n_accounts, october.used_micro_usd) == (1, 7 * USD)
    assert len(others) == 10 and not any(month.used_micro_usd for month in others)
    assert (found.chart.total, len(found.chart.labels)) == (15 * USD, 12)
    assert [(account, cost) for account, cost in found.largest] == [(second, 5 * USD), (first, 3 * USD)]


def test_overview_is_for_those_who_may_see_the_ledger() -> None:
    url = reverse("admin:billing_overview")
    user = User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.get(url).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_ledgerentry"))
    page = client.get(url)
    assert page.status_code == 200
    assert "Nobody has used anything" in page.content.decode()
    assert url in client.get(reverse("admin:billing_ledgerentry_changelist")).content.decode()
