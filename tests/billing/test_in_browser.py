"""A customer sets a budget, is told, and asks for a plan; an operator records the deposit and says yes."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from accounts.models import Account, User
from billing.alerts import thresholds_tell
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from tests.billing.books import USD, used
from tests.browser import PHONE, WIDE, OpenPage, dialog
from tests.factories import PASSWORD


@pytest.fixture
def spending(owner: Account) -> Account:
    """Most of a small budget is used, whatever day it is."""
    used(owner, day_of(utc_now(), settings.BILLING_ZONE), 3 * USD)
    used(owner, day_of(utc_now(), settings.BILLING_ZONE), USD, service="trip")
    return owner


@pytest.fixture
def operator_cookie(live: None) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    return client.cookies["sessionid"].value


def test_from_a_budget_to_a_higher_plan(
    spending: Account, operator_cookie: str, open_page: OpenPage, site_url: str
) -> None:
    page = open_page("/billing")
    expect(page.locator("#usage canvas")).to_be_visible()
    page.get_by_role("button", name="Set a budget").click()
    dialog(page).get_by_label("Budget of a month").fill("1.005")
    dialog(page).get_by_role("button", name="Save").click()
    expect(dialog(page).get_by_text("whole cents")).to_be_visible()
    dialog(page).get_by_label("Budget of a month").fill("5")
    dialog(page).get_by_role("button", name="Save").click()
    expect(page.get_by_text("The budget is $5.00 a month.")).to_be_visible()
    page.get_by_role("button", name="Change the alerts").click()
    dialog(page).get_by_label("Tell us at").fill("60, 100")
    dialog(page).get_by_role("button", name="Save").click()
    expect(page.get_by_text("The alerts are saved.")).to_be_visible()

    thresholds_tell(account_ids=[spending.pk], now=utc_now())
    page.goto(f"{site_url}/notices")
    expect(page.get_by_role("heading", name="60% of this month’s budget is used")).to_be_visible()

    page.goto(f"{site_url}/billing#plans")
    page.locator("li", has=page.locator("#plan-pro")).get_by_role("button", name="Ask for this plan").click()
    dialog(page).get_by_role("button", name="Send the request").click()
    expect(page.locator("#plans")).to_contain_text("You asked for Pro")

    operator = open_page("/billing", viewport=WIDE)
    operator.context.clear_cookies()
    operator.context.add_cookies([{"name": "sessionid", "value": operator_cookie, "url": site_url}])
    operator.goto(f"{site_url}/admin/accounts/account/{spending.pk}/change/")
    expect(operator.get_by_role("link", name="asks for Pro")).to_be_visible()
    operator.get_by_role("link", name="Record a deposit").click()
    operator.get_by_label("Amount").fill("200")
    operator.get_by_label("Reference").fill("bank 1")
    operator.get_by_label("Reason").fill("Deposit for Pro")
    operator.get_by_role("button", name="Record a deposit").click()
    expect(operator.get_by_text("Record a deposit: $200.00, 1 written.")).to_be_visible()
    operator.get_by_role("link", name="asks for Pro").click()
    operator.locator("input.action-select").first.check()
    operator.locator("select[name=action]").select_option("approve")
    operator.get_by_role("button", name="Go").click()
    operator.get_by_label("Answer").fill("Welcome")
    operator.get_by_role("button", name="Approve").click()
    expect(operator.locator(".messagelist")).to_contain_text("done.")
    operator.goto(f"{site_url}/admin/billing/ledgerentry/overview")
    expect(operator.locator("#usage canvas")).to_be_visible()

    phone = open_page("/billing", viewport=PHONE)
    expect(phone.locator(".plan-offer.is-current")).to_contain_text("Pro")
    expect(phone.get_by_text("+$200.00")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
