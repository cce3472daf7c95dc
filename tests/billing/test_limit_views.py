"""The dialogs of budget and alerts."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import Settings

from accounts.models import Account, AuditEntry
from billing.alerts import percents_of
from billing.budgets import budget_set
from billing.models import Budget
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from tests.billing.books import USD, used
from tests.factories import make_account, make_key, owner_of
from tests.processes import GateProcess

BUDGET, ALERTS = "/billing/budget", "/billing/alerts"
HTMX = {"HX-Request": "true"}


def post(client: Client, url: str, **fields: str) -> Any:
    return client.post(url, fields, headers=HTMX)


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_budget_is_set_changed_and_taken_away(alice: Account, alice_client: Client) -> None:
    response = post(alice_client, BUDGET, amount="$12.50")
    assert response["HX-Refresh"] == "true"
    assert said(response) == ["The budget is $12.50 a month."]
    budget = Budget.objects.get()
    assert (budget.account, budget.amount_micro_usd, budget.set_by) == (alice, 12_500_000, owner_of(alice))
    page = alice_client.get("/billing").content.decode()
    assert "$12.50" in page and "Change the budget" in page
    assert 'value="12.50"' in alice_client.get(BUDGET, headers=HTMX).content.decode()
    post(alice_client, BUDGET, amount="")
    assert not Budget.objects.exists()
    entries = AuditEntry.objects.filter(object_kind="budget").order_by("id")
    assert [(entry.action, entry.actor_name) for entry in entries] == [
        ("budget.set", "alice@example.com"),
        ("budget.removed", "alice@example.com"),
    ]


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("12.345", "whole cents"),
        ("-1", "The least is $0.00"),
        ("9999999", "The most is $1,000,000.00"),
        ("12,50", "Write an amount in dollars"),
        ("much", "Write an amount in dollars"),
    ],
)
def test_a_budget_that_is_none_is_refused_and_what_was_typed_stays(
    alice: Account, alice_client: Client, amount: str, error: str
) -> None:
    budget_set(account=alice, amount_micro_usd=7)
    response = post(alice_client, BUDGET, amount=amount)
    assert response.status_code == 422
    assert error in response.content.decode() and f'value="{amount}"' in response.content.decode()
    assert Budget.objects.get().amount_micro_usd == 7


def test_a_budget_below_what_is_spent_says_that_it_stops_at_once(alice: Account, alice_client: Client) -> None:
    used(alice, day_of(utc_now(), settings.BILLING_ZONE), 3 * USD)
    response = post(alice_client, BUDGET, amount="0")
    (text,) = said(response)
    assert "this month has come to $3.00: what costs something is refused now" in text
    assert "The budget is used up" in alice_client.get("/billing").content.decode()


def test_alerts_are_changed(alice: Account, alice_client: Client) -> None:
    assert 'value="50, 80, 100"' in alice_client.get(ALERTS, headers=HTMX).content.decode()
    assert post(alice_client, ALERTS, percents="90%, 10 90")["HX-Refresh"] == "true"
    assert percents_of(alice) == (10, 90)
    post(alice_client, ALERTS, percents="")
    assert percents_of(alice) == ()
    assert "nobody is told" in alice_client.get("/billing").content.decode()


@pytest.mark.parametrize("percents", ["0", "101", "00500", "5.5", "-5", "many", "٥٠", "1 2 3 4 5 6 7 8 9 10 11"])
def test_alerts_that_are_none_are_refused(alice: Account, alice_client: Client, percents: str) -> None:
    response = post(alice_client, ALERTS, percents=percents)
    assert response.status_code == 422
    assert percents_of(alice) == (50, 80, 100)


@pytest.mark.parametrize("url", [BUDGET, ALERTS])
def test_without_htmx_a_dialog_leads_to_the_page(alice_client: Client, url: str) -> None:
    assert alice_client.get(url)["Location"] == "/billing#budget"


def test_budget_from_the_form_holds_at_the_gate_and_ends_there(gate: GateProcess, settings: Settings) -> None:
    account = make_account()
    client = Client()
    client.force_login(owner_of(account))
    path = f"/geocode?address=x&api_key={make_key(account).text}"
    assert gate.get(path, ip="198.51.100.1").status_code == 200
    for n, (amount, status) in enumerate((("0", 429), ("5", 200))):
        post(client, BUDGET, amount=amount)
        deadline = time.monotonic() + 10
        while (response := gate.get(path, ip=f"198.51.{n}.2")).status_code != status and time.monotonic() < deadline:
            time.sleep(0.3)
        assert response.status_code == status
