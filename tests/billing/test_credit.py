"""Free credit is used first and ends with its month; the rest is money, and no micro-dollar of it goes astray."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import Account
from billing.credit import MonthMoney, allowance, carried_balance, open_stretches
from billing.ledger import entry_post, monthly_credit_grant, usage_charge
from billing.models import EntryKind, Statement
from billing.months import months_money
from billing.selectors import allowance_of
from billing.statements import month_close
from goongdash.lib.periods import Month
from tests.billing.books import CREDIT, NOVEMBER, OCTOBER, SEPTEMBER, old_account, plain_sum, stop_clock, used
from tests.factories import T0

AMOUNTS = st.integers(0, 10**10)
MONEY = st.integers(-(10**9), 10**10)
MONTHS = st.builds(MonthMoney, AMOUNTS, MONEY, AMOUNTS, st.integers(-(10**8), 10**9))
MONTHS_OF_TIME = st.builds(Month, st.integers(2024, 2026), st.integers(1, 12))


@given(MONTHS)
def test_credit_and_money_together_pay_all_usage_and_no_more(month: MonthMoney) -> None:
    assert month.credit_used_micro_usd + month.paid_micro_usd == month.usage_micro_usd + month.late_micro_usd
    assert 0 <= month.credit_used_micro_usd <= month.credit_micro_usd
    assert month.credit_used_micro_usd + month.credit_unused_micro_usd == month.credit_micro_usd


@given(MONTHS)
def test_no_money_is_taken_while_credit_is_left(month: MonthMoney) -> None:
    assert month.credit_unused_micro_usd == 0 or month.paid_micro_usd <= 0


@given(st.lists(MONTHS, max_size=6), st.integers(0, 6))
def test_carried_balance_is_the_sum_of_its_parts_in_any_order(months: list[MonthMoney], cut: int) -> None:
    assert carried_balance(months) == carried_balance(months[:cut]) + carried_balance(months[cut:])
    assert carried_balance(months) == carried_balance(reversed(months))


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, st.integers(0, 100)), max_size=6))
def test_who_stays_within_the_allowance_never_owes(months: list[tuple[int, int, int]]) -> None:
    past: list[MonthMoney] = []
    for credit, money, percent in months:
        can = allowance(carried_micro_usd=carried_balance(past), this_month=MonthMoney(credit, money))
        past.append(MonthMoney(credit, money, can * percent // 100))

        assert carried_balance(past) >= 0


@given(
    st.sets(st.builds(Month, st.integers(2024, 2026), st.integers(1, 12)), max_size=30),
    st.dates(date(2023, 1, 1), date(2027, 12, 31)),
)
def test_each_day_is_in_a_closed_month_or_in_one_open_stretch(closed: set[Month], day: date) -> None:
    in_stretches = [start <= day < end for start, end in open_stretches(closed)]

    assert sum(in_stretches) == (Month.of(day) not in closed)


@given(st.integers(-(10**10), 10**10), MONTHS)
def test_allowance_is_never_negative_and_ignores_what_is_spent(carried: int, month: MonthMoney) -> None:
    can = allowance(carried_micro_usd=carried, this_month=month)

    spent = MonthMoney(month.credit_micro_usd, month.money_micro_usd, 0, month.late_micro_usd)
    assert can == allowance(carried_micro_usd=carried, this_month=spent) >= 0


@given(st.integers(0, 10**10), MONTHS)
def test_late_usage_takes_its_amount_from_the_allowance(carried: int, month: MonthMoney) -> None:
    without = MonthMoney(month.credit_micro_usd, month.money_micro_usd, month.usage_micro_usd)
    late = allowance(carried_micro_usd=carried, this_month=month)

    have = carried + without.money_micro_usd + without.credit_micro_usd
    assert late == max(0, have - month.late_micro_usd)


def test_unused_credit_does_not_last_and_money_does() -> None:
    assert carried_balance([MonthMoney(credit_micro_usd=100, usage_micro_usd=40)]) == 0
    assert carried_balance([MonthMoney(credit_micro_usd=100, money_micro_usd=50, usage_micro_usd=40)]) == 50
    assert carried_balance([MonthMoney(credit_micro_usd=100, money_micro_usd=50, usage_micro_usd=120)]) == 30


@pytest.fixture
def account(db: None, monkeypatch: pytest.MonkeyPatch) -> Account:
    stop_clock(monkeypatch)
    return old_account()


def close(account: Account, *months: Month, now: datetime = T0) -> None:
    for month in months:
        assert list(month_close(month=month, now=now, account=account))


DAYS = st.integers(0, 60).map(lambda n: date(2026, 9, 1) + timedelta(days=n))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("use"), DAYS, st.integers(1, 150_000_000)),
        st.tuples(st.just("deposit"), DAYS, st.integers(1, 50_000_000)),
        st.tuples(st.just("adjust"), DAYS, st.integers(-30_000_000, 30_000_000)),
        st.tuples(st.just("charge"), DAYS, st.none()),
        st.tuples(st.just("grant"), DAYS, st.none()),
        st.tuples(st.just("close"), st.just(date(2026, 9, 1)), st.none()),
    ),
    max_size=14,
)


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_plain_sum_of_the_ledger_is_the_balance_when_all_months_are_closed(
    account: Account, steps: list[tuple[str, date, int | None]]
) -> None:
    """Use, charges, money and late use in any order: the books of the closed months come out even."""
    with transaction.atomic():
        for i, (what, day, amount) in enumerate(steps):
            match what:
                case "use":
                    used(account, day, amount or 0)
                case "charge":
                    usage_charge(before=day, account_ids=[account.pk])
                case "grant":
                    monthly_credit_grant(month=Month.of(day), accounts=[account])
                case "close":
                    list(month_close(month=SEPTEMBER, now=T0, account=account))
                case "deposit" | "adjust":
                    # Money is always posted to the month that is open, never to one that may be closed.
                    kind = EntryKind.DEPOSIT if what == "deposit" else EntryKind.ADJUSTMENT
                    entry_post(account=account, month=NOVEMBER, kind=kind, amount_micro_usd=amount or 0, source=str(i))
        list(month_close(month=SEPTEMBER, now=T0, account=account))
        usage_charge(before=NOVEMBER.first_day, account_ids=[account.pk])
        close(account, OCTOBER)
        close(account, NOVEMBER, now=NOVEMBER.bounds(settings.BILLING_ZONE)[1])

        assert plain_sum(account) == carried_balance(months_money(account).values())
        for statement in Statement.objects.filter(account=account):
            money = months_money(account)[Month.of(statement.period_on)]
            assert statement.gross_micro_usd == money.charged_micro_usd
            assert statement.credit_micro_usd == money.credit_used_micro_usd
        transaction.set_rollback(True)


def test_credit_counts_before_it_has_been_written(account: Account) -> None:
    assert allowance_of(account, NOVEMBER) == CREDIT
    monthly_credit_grant(month=NOVEMBER, accounts=[account])
    assert allowance_of(account, NOVEMBER) == CREDIT


def test_credit_of_a_month_that_is_not_closed_yet_pays_its_usage_though_nobody_granted_it(account: Account) -> None:
    used(account, date(2026, 10, 31), 40_000_000)

    assert allowance_of(account, NOVEMBER) == CREDIT
    close(account, OCTOBER)
    assert allowance_of(account, NOVEMBER) == CREDIT


def test_what_credit_does_not_cover_is_taken_from_the_deposit(account: Account) -> None:
    entry_post(account=account, month=OCTOBER, kind=EntryKind.DEPOSIT, amount_micro_usd=50_000_000, source="wire 1")
    used(account, date(2026, 10, 5), 120_000_000)

    assert allowance_of(account, OCTOBER) == 150_000_000
    assert allowance_of(account, NOVEMBER) == CREDIT + 30_000_000


def test_late_usage_of_a_closed_month_is_paid_by_the_open_one_first_by_its_credit(account: Account) -> None:
    used(account, date(2026, 10, 5), 10_000_000)
    close(account, OCTOBER)
    used(account, date(2026, 10, 5), 7_000_000)
    usage_charge(before=date(2026, 11, 23), account_ids=[account.pk])

    assert allowance_of(account, NOVEMBER) == CREDIT - 7_000_000
    months = months_money(account)
    assert months[OCTOBER].usage_micro_usd == 10_000_000
    assert months[NOVEMBER].late_micro_usd == 7_000_000
    assert carried_balance(months.values()) == 0
    assert allowance_of(account, NOVEMBER.next) == CREDIT
