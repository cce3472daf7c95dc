"""A month is closed once, whoever closes it, and its statement says what days and ledger say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account
from billing import month_bills, statements
from billing.errors import MonthNotOver
from billing.ledger import entries_add, entry_post, usage_charge
from billing.models import EntryKind, LedgerEntry, Statement, StatementLine
from billing.month_usage import MonthSums, month_sums, month_usage
from billing.statements import month_close
from billing.tasks import charge_usage, close_past_months, grant_monthly_credit
from goongdash.lib.periods import Month
from stats.models import DailyUsage
from tests.billing.books import CREDIT, NOVEMBER, OCTOBER, SEPTEMBER, entries, old_account, plain_sum, stop_clock, used
from tests.factories import T0, make_account, make_event, make_key
from tests.road import at_once, copies, store

FIRST, OCT = date(2026, 11, 1), date(2026, 10, 1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def account(db: None) -> Account:
    return old_account()


def close(month: Month, account: Account | None = None, now: datetime = T0) -> list[Statement | None]:
    return list(month_close(month=month, now=now, account=account))


def of_month(account: Account, month: Month) -> tuple[int, int, int]:
    """Gross, credit and net of the account's one statement of the month."""
    statement = Statement.objects.get(account=account, period_on=month.first_day)
    return statement.gross_micro_usd, statement.credit_micro_usd, statement.net_micro_usd


def assert_statement_is_days_is_ledger(account: Account, month: Month) -> None:
    lines = Statement.objects.get(account=account, period_on=month.first_day).lines
    in_month = {"day_on__gte": month.first_day, "day_on__lt": month.next.first_day}
    days = DailyUsage.objects.filter(account=account, **in_month).aggregate(n=Sum("cost_micro_usd", default=0))["n"]
    charged = LedgerEntry.objects.filter(account=account, period_on=month.first_day, kind__in=["usage", "late_usage"])
    gross = of_month(account, month)[0]
    assert gross == days == lines.aggregate(n=Sum("amount_micro_usd", default=0))["n"]
    assert gross == -charged.aggregate(n=Sum("amount_micro_usd", default=0))["n"]


def test_statement_lists_each_service_and_what_credit_paid(account: Account) -> None:
    used(account, date(2026, 10, 1), 5_000)
    used(account, date(2026, 10, 31), 5_000, units=2)
    used(account, date(2026, 10, 31), 120_000_000, service="map-load", units=9)
    used(account, date(2026, 10, 15), 0, service="tiles", units=0)
    used(account, date(2026, 9, 30), 1)
    used(account, FIRST, 1)

    (statement,) = close(OCTOBER, account)

    assert statement is not None
    assert statement.number == f"2026-10-{account.pk:06d}"
    assert of_month(account, OCTOBER) == (120_010_000, CREDIT, 20_010_000)
    # What a price explains, and what it does not: a line of its own. Credit pays the lines in their order.
    lines = StatementLine.objects.values_list("kind", "service__slug", "units", "amount_micro_usd", "net_micro_usd")
    assert list(lines) == [
        ("usage", "geocode", 3, 15_000, 0),
        ("difference", "geocode", 0, -5_000, -5_000),
        ("usage", "map-load", 9, 63_000, 0),
        ("difference", "map-load", 0, 119_937_000, 20_015_000),
    ]
    assert_statement_is_days_is_ledger(account, OCTOBER)
    assert set(Statement.objects.values_list("account_id", "period_on")) == {(account.pk, OCT)}


def test_unused_credit_ends_with_its_month(account: Account) -> None:
    used(account, date(2026, 10, 5), 30_000_000)

    close(OCTOBER, account)

    assert entries(account) == [
        ("monthly_credit", OCT, "", CREDIT),
        ("usage", OCT, "2026-10-05#1", -30_000_000),
        ("expired_credit", OCT, "", -70_000_000),
    ]
    assert plain_sum(account) == 0


def test_second_closing_changes_nothing(account: Account) -> None:
    used(account, date(2026, 10, 5), 30_000_000)
    close(OCTOBER, account)
    before = (entries(), Statement.objects.values().get(), list(StatementLine.objects.values()))

    assert close(OCTOBER, account) == [None]
    assert close(OCTOBER) == []

    assert (entries(), Statement.objects.values().get(), list(StatementLine.objects.values())) == before


def test_late_usage_leaves_the_statement_alone_and_is_in_the_next(account: Account) -> None:
    used(account, date(2026, 9, 5), 30_000_000)
    close(SEPTEMBER, account)
    closed = Statement.objects.values().get()
    used(account, date(2026, 9, 5), 8_000)
    used(account, date(2026, 11, 2), 1_000)
    usage_charge(before=date(2026, 11, 23))
    close(SEPTEMBER, account)
    close(OCTOBER, account)

    close(NOVEMBER, account, now=T0 + timedelta(days=30))

    assert Statement.objects.filter(period_on=SEPTEMBER.first_day).values().get() == closed
    assert of_month(account, OCTOBER) == (0, 0, 0)
    assert of_month(account, NOVEMBER) == (9_000, 9_000, 0)
    charged = LedgerEntry.objects.filter(period_on=FIRST, kind__in=["usage", "late_usage"])
    assert charged.aggregate(n=Sum("amount_micro_usd"))["n"] == -9_000
    assert plain_sum(account) == 0


def test_usage_rolled_up_while_the_month_is_closed_is_charged_once_and_stated_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(account, date(2026, 10, 5), 30_000)

    def look_and_roll_up(*arguments: Any) -> MonthSums:
        sums = month_sums(*arguments)
        used(account, date(2026, 10, 5), 500)
        used(account, date(2026, 10, 31), 7_000, service="trip")
        return sums

    with monkeypatch.context() as patch:
        patch.setattr(statements, "month_sums", look_and_roll_up)
        close(OCTOBER, account)

    assert of_month(account, OCTOBER)[0] == 30_000
    assert usage_charge(before=date(2026, 11, 23)) == 2
    assert usage_charge(before=date(2026, 11, 23)) == 0
    charged = LedgerEntry.objects.filter(kind__in=["usage", "late_usage"]).order_by("id")
    assert list(charged.values_list("kind", "period_on", "source", "amount_micro_usd")) == [
        ("usage", OCT, "2026-10-05#1", -30_000),
        ("late_usage", FIRST, "2026-10-05#2", -500),
        ("late_usage", FIRST, "2026-10-31#1", -7_000),
    ]
    close(NOVEMBER, account, now=T0 + timedelta(days=30))
    assert of_month(account, NOVEMBER)[0] == 7_500


def test_a_draft_is_made_of_one_look_at_the_sums(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    used(account, FIRST, 10_000)

    def read_and_be_overtaken(*asked: Any) -> list[Any]:
        parts = list(month_usage(*asked))
        used(account, FIRST + timedelta(days=1), 500)
        return parts

    monkeypatch.setattr(month_bills, "month_usage", read_and_be_overtaken)
    bill = month_bills.draft_bill(account, NOVEMBER)
    assert bill.money.usage_micro_usd == sum(line.amount_micro_usd for line in bill.lines) == 10_000


def test_sums_that_never_agree_do_not_keep_a_month_open(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    used(account, date(2026, 10, 5), 30_000)
    DailyUsage.objects.update(service=None)

    close(OCTOBER, account)

    assert of_month(account, OCTOBER)[0] == 30_000 == -LedgerEntry.objects.get(kind="usage").amount_micro_usd


def test_month_that_is_not_over_in_the_zone_is_refused(account: Account, settings: Settings) -> None:
    # November ends in Hanoi at 17:00 UTC on the 30th.
    end = datetime(2026, 11, 30, 17, tzinfo=UTC)

    with pytest.raises(MonthNotOver, match="2026-11 is not over yet in Asia/Ho_Chi_Minh"):
        close(NOVEMBER, account, now=end - timedelta(microseconds=1))
    assert (entries(), Statement.objects.count()) == ([], 0)

    assert len(close(NOVEMBER, account, now=end)) == 1


@pytest.mark.parametrize("name", ["Asia/Ho_Chi_Minh", "Asia/Kolkata", "America/Santiago"])
def test_months_are_cut_by_the_zone(db: None, settings: Settings, name: str) -> None:
    settings.BILLING_TIME_ZONE, settings.BILLING_ZONE = name, ZoneInfo(name)
    key = make_key(old_account())
    start, end = OCTOBER.bounds(settings.BILLING_ZONE)
    microsecond = timedelta(microseconds=1)
    store(
        *copies(make_event(key, at=start - microsecond), 1),
        *copies(make_event(key, at=start), 2),
        *copies(make_event(key, at=end - microsecond), 3),
        *copies(make_event(key, at=end), 4),
    )

    close(OCTOBER, key.key.account)

    assert of_month(key.key.account, OCTOBER)[0] == 5 * 5_000
    assert_statement_is_days_is_ledger(key.key.account, OCTOBER)


def test_interrupted_closing_leaves_each_account_closed_or_untouched(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [old_account() for _ in range(3)]
    for account in accounts:
        used(account, date(2026, 10, 5), 30_000_000)
    calls: list[object] = []

    def add_and_fail(new: Iterable[LedgerEntry]) -> None:
        calls.append(new)
        if len(calls) == 2:
            raise RuntimeError
        entries_add(new)

    monkeypatch.setattr(statements, "BATCH_ACCOUNTS", 1)
    with monkeypatch.context() as patch:
        patch.setattr(statements, "entries_add", add_and_fail)
        with pytest.raises(RuntimeError):
            close(OCTOBER)

    assert [len(entries(account)) for account in accounts] == [3, 0, 0]
    assert Statement.objects.count() == 1
    assert [statement is None for statement in close(OCTOBER)] == [False, False]
    assert [plain_sum(account) for account in accounts] == [0, 0, 0]


def test_closings_and_charges_at_once_close_each_account_once(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [old_account() for _ in range(4)]
    for account in accounts:
        used(account, date(2026, 10, 5), 130_000_000)
    monkeypatch.setattr(statements, "BATCH_ACCOUNTS", 2)

    def n_written() -> int:
        return sum(statement is not None for statement in month_close(month=OCTOBER, now=T0))

    def charge() -> int:
        usage_charge(before=date(2026, 11, 23))
        return 0

    assert sum(at_once(n_written, n_written, n_written, charge)) == 4

    for account in accounts:
        assert of_month(account, OCTOBER) == (130_000_000, CREDIT, 30_000_000)
        assert_statement_is_days_is_ledger(account, OCTOBER)
        assert plain_sum(account) == -30_000_000
        assert len(entries(account)) == 2


def test_months_can_be_closed_late_and_in_any_order(account: Account) -> None:
    for month, cost in ((SEPTEMBER, 150_000_000), (OCTOBER, 20_000_000)):
        used(account, month.first_day, cost)
    entry_post(account=account, month=SEPTEMBER, kind=EntryKind.DEPOSIT, amount_micro_usd=60_000_000, source="wire")

    close(OCTOBER, account)
    close(SEPTEMBER, account)

    assert of_month(account, SEPTEMBER) == (150_000_000, CREDIT, 50_000_000)
    assert of_month(account, OCTOBER) == (20_000_000, 20_000_000, 0)
    assert plain_sum(account) == 10_000_000


def test_closing_again_costs_as_many_queries_for_many_accounts_as_for_one(
    account: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    close(OCTOBER)
    with CaptureQueriesContext(connection) as few:
        assert close(OCTOBER) == []
    for _ in range(3):
        old_account()
    close(OCTOBER)

    with django_assert_num_queries(len(few)):
        assert close(OCTOBER) == []


def test_account_has_no_statement_of_a_month_before_it_was_opened(db: None) -> None:
    account = make_account()
    Account.objects.filter(pk=account.pk).update(created_at=OCTOBER.bounds(ZoneInfo("Asia/Ho_Chi_Minh"))[1])
    account.refresh_from_db()

    assert close(OCTOBER) == []
    assert close(OCTOBER, account) == []
    assert entries() == []


def test_account_without_usage_has_an_empty_statement(account: Account) -> None:
    close(OCTOBER, account)

    assert of_month(account, OCTOBER) == (0, 0, 0)
    assert StatementLine.objects.count() == 0
    assert plain_sum(account) == 0


def test_statement_that_does_not_add_up_is_refused_by_the_database(account: Account) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Statement.objects.create(
            account=account,
            period_on=OCT,
            number="x",
            gross_micro_usd=10,
            credit_micro_usd=3,
            net_micro_usd=8,
            closed_at=T0,
        )


def test_scheduled_tasks_grant_charge_and_close_and_may_run_twice(account: Account) -> None:
    used(account, date(2026, 10, 5), 1_000)
    used(account, date(2026, 11, 22), 2_000)
    used(account, date(2026, 11, 23), 4_000)

    # Three months are made up for, used or not.
    assert [grant_monthly_credit(), charge_usage(), close_past_months()] == [1, 2, 3]
    assert [grant_monthly_credit(), charge_usage(), close_past_months()] == [0, 0, 0]

    assert of_month(account, OCTOBER) == (1_000, 1_000, 0)
    assert plain_sum(account) == CREDIT - 2_000
