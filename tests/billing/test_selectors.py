"""What pages and gates read of billing: prices of the day, the month's credit, spending by service."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account, Plan
from billing.ledger import entry_post, monthly_credit_grant, usage_charge
from billing.models import EntryKind, Price
from billing.months import months_money
from billing.selectors import allowance_of, credit_overview, current_prices, ledger_of, price_list, statements_of
from billing.spending import month_cells, month_spending
from billing.statements import month_close
from keys.models import Service
from stats.models import DailyUsage
from tests.billing.books import CREDIT, NOVEMBER, OCTOBER, SEPTEMBER, old_account, stop_clock, used
from tests.factories import T0

TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def account(db: None) -> Account:
    return old_account()


def deposit(account: Account, amount: int, month: Any = NOVEMBER) -> None:
    entry_post(account=account, month=month, kind=EntryKind.DEPOSIT, amount_micro_usd=amount, source="wire")


def test_price_of_the_day_is_the_newest_begun(db: None) -> None:
    geocode, trip = Service.objects.get(slug="geocode"), Service.objects.get(slug="trip")
    Price.objects.create(service=geocode, price_micro_usd=6_000, effective_on=TODAY)
    Price.objects.create(service=trip, price_micro_usd=1, effective_on=TODAY + timedelta(days=1))

    assert current_prices(TODAY - timedelta(days=1))[geocode.pk] == 5_000
    assert current_prices(TODAY)[geocode.pk] == 6_000
    assert current_prices(TODAY)[trip.pk] == 10_000
    assert {price.service_id: price.price_micro_usd for price in price_list(TODAY)} == current_prices(TODAY)
    assert [price.service.position for price in price_list(TODAY)] == sorted(
        p.service.position for p in price_list(TODAY)
    )
    assert current_prices(date(2019, 12, 31)) == {}


def test_new_account_has_its_plans_credit_and_nothing_else(account: Account) -> None:
    overview = credit_overview(account, T0)

    assert (overview.month, overview.credit_micro_usd, overview.balance_micro_usd) == (NOVEMBER, CREDIT, 0)
    assert (overview.allowance_micro_usd, overview.spent_micro_usd, overview.left_micro_usd) == (CREDIT, 0, CREDIT)
    assert overview.percent_spent == 0


def test_plan_without_credit_gives_none(db: None) -> None:
    Plan.objects.filter(slug="pro").update(credit_micro_usd=0)
    account = old_account(plan="pro")

    assert allowance_of(account, NOVEMBER) == 0
    assert credit_overview(account, T0).percent_spent == 100


def test_granted_credit_stays_what_it_was_when_the_plan_changes(account: Account) -> None:
    monthly_credit_grant(month=NOVEMBER, accounts=[account])
    Plan.objects.filter(slug="free").update(credit_micro_usd=1)
    account = Account.objects.get()

    assert allowance_of(account, NOVEMBER) == CREDIT
    assert allowance_of(account, NOVEMBER.next) == 1


def test_spent_and_left_add_up_to_the_allowance(account: Account) -> None:
    deposit(account, 20_000_000)
    used(account, date(2026, 11, 1), 90_000_000)
    used(account, TODAY, 15_000_000)

    overview = credit_overview(account, T0)

    assert (overview.allowance_micro_usd, overview.spent_micro_usd) == (120_000_000, 105_000_000)
    assert (overview.left_micro_usd, overview.balance_micro_usd, overview.percent_spent) == (15_000_000, 20_000_000, 87)


def test_overspent_account_has_nothing_left_and_no_more_than_all_spent(account: Account) -> None:
    used(account, TODAY, 150_000_000)

    overview = credit_overview(account, T0)

    assert (overview.left_micro_usd, overview.percent_spent) == (0, 100)
    assert allowance_of(account, NOVEMBER.next) == CREDIT - 50_000_000


def test_month_of_the_overview_is_the_zones(account: Account) -> None:
    assert credit_overview(account, datetime(2026, 10, 31, 16, 59, tzinfo=UTC)).month == OCTOBER
    assert credit_overview(account, datetime(2026, 10, 31, 17, 0, tzinfo=UTC)).month == NOVEMBER


def test_charging_and_closing_change_nothing_of_what_may_be_spent(account: Account) -> None:
    deposit(account, 30_000_000, SEPTEMBER)
    used(account, date(2026, 9, 5), 110_000_000)
    used(account, date(2026, 10, 5), 40_000_000)
    used(account, date(2026, 11, 5), 10_000_000)
    expected = [allowance_of(account, month) for month in (SEPTEMBER, OCTOBER, NOVEMBER, NOVEMBER.next)]

    def now() -> list[int]:
        return [allowance_of(account, month) for month in (SEPTEMBER, OCTOBER, NOVEMBER, NOVEMBER.next)]

    assert expected == [130_000_000, 120_000_000, 120_000_000, 120_000_000]
    usage_charge(before=TODAY)
    assert now() == expected
    list(month_close(month=OCTOBER, now=T0))
    assert now() == expected
    list(month_close(month=SEPTEMBER, now=T0))
    assert now() == expected


def test_spending_by_service_is_all_of_the_month_and_only_that(account: Account) -> None:
    used(account, date(2026, 10, 31), 1)
    used(account, date(2026, 12, 1), 1)
    used(old_account(), TODAY, 1)
    used(account, date(2026, 11, 1), 5_000, units=1)
    used(account, date(2026, 11, 30), 10_000, units=2)
    used(account, TODAY, 7_000, service="map-load")
    used(account, TODAY, 4_000, service="place-detail")
    refused = DailyUsage.objects.get(service__slug="place-detail")
    refused.pk, refused.outcome, refused.service = None, 12, None
    refused.save()

    spends = month_spending(month_cells(account, T0), credit_overview(account, T0), T0).services

    assert [(s.service.slug, s.n_requests, s.units, s.cost_micro_usd) for s in spends] == [
        ("place-detail", 1, 1, 4_000),
        ("geocode", 3, 3, 15_000),
        ("map-load", 1, 1, 7_000),
    ]


def test_ledger_and_statements_are_the_accounts_own_newest_first(account: Account) -> None:
    other = old_account()
    for month in (SEPTEMBER, OCTOBER):
        used(account, month.first_day, 1_000)
        used(other, month.first_day, 1_000)
        list(month_close(month=month, now=T0))

    entries, statements = list(ledger_of(account)), list(statements_of(account))

    assert {entry.account_id for entry in entries} == {account.pk}
    assert [entry.period_on for entry in entries] == [OCTOBER.first_day] * 3 + [SEPTEMBER.first_day] * 3
    assert [statement.period_on for statement in statements] == [OCTOBER.first_day, SEPTEMBER.first_day]
    assert {statement.account_id for statement in statements} == {account.pk}


def test_months_without_anything_are_not_there(account: Account) -> None:
    used(account, date(2026, 9, 5), 1_000)

    assert list(months_money(account)) == [SEPTEMBER]


def test_each_ledger_entry_has_the_balance_after_it(db: None) -> None:
    account = old_account()
    for month, amount in ((SEPTEMBER, 50), (OCTOBER, -20), (NOVEMBER, 7)):
        kind = EntryKind.GRANT
        entry_post(account=account, month=month, kind=kind, amount_micro_usd=amount, source=str(month))

    assert [entry.balance_micro_usd for entry in ledger_of(account)] == [37, 30, 50]  # type: ignore[attr-defined]
