"""The ledger takes each entry once, gives none back, and is charged exactly what was used."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from accounts.changes import changes_channel
from accounts.models import Account, Plan
from billing.ledger import credit_grant, entry_post, monthly_credit_grant, usage_charge
from billing.models import EntryKind, LedgerEntry
from billing.statements import month_close
from goongdash.lib.periods import Month
from stats.models import DailyUsage
from stats.outcomes import OUTCOMES, Outcome
from stats.stream import redis_client
from tests.billing.books import (
    CREDIT,
    NOVEMBER,
    OCTOBER,
    USD,
    entries,
    old_account,
    plain_sum,
    stop_clock,
    used,
)
from tests.factories import T0, make_account
from tests.road import at_once

TODAY = date(2026, 11, 23)
FIRST = NOVEMBER.first_day


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def account(db: None) -> Account:
    return old_account()


def test_entry_written_twice_is_there_once_with_its_first_amount(account: Account) -> None:
    def deposit(amount: int) -> bool:
        return entry_post(
            account=account, month=NOVEMBER, kind=EntryKind.DEPOSIT, amount_micro_usd=amount, source="wire 7"
        )

    assert [deposit(5), deposit(5), deposit(6)] == [True, False, False]
    assert entries() == [("deposit", FIRST, "wire 7", 5)]


def test_entries_that_differ_in_source_kind_month_or_account_are_all_kept(account: Account) -> None:
    for who in (account, make_account()):
        for month in (OCTOBER, NOVEMBER):
            for kind in (EntryKind.MONTHLY_CREDIT, EntryKind.USAGE):
                for source in ("a", "b"):
                    assert entry_post(account=who, month=month, kind=kind, amount_micro_usd=1, source=source)

    assert len(entries()) == 16


@pytest.mark.parametrize(
    "sql", ["UPDATE billing_ledgerentry SET amount_micro_usd = 0", "DELETE FROM billing_ledgerentry"]
)
def test_ledger_refuses_to_be_changed_whoever_asks(account: Account, sql: str) -> None:
    credit_grant(account=account, amount_micro_usd=USD, reason="", source="x")
    before = entries()

    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    for change in (LedgerEntry.objects.all().delete, lambda: LedgerEntry.objects.update(note="")):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            change()

    assert entries() == before


def test_account_with_entries_cannot_be_deleted(account: Account) -> None:
    credit_grant(account=account, amount_micro_usd=USD, reason="", source="x")

    with pytest.raises(ProtectedError):
        account.delete()


def test_monthly_credit_is_granted_once_to_every_active_account_of_a_plan_that_gives_it(account: Account) -> None:
    inactive, nothing = make_account(), make_account(plan="pro")
    Account.objects.filter(pk=inactive.pk).update(is_active=False)
    Plan.objects.filter(slug="pro").update(credit_micro_usd=0)

    assert monthly_credit_grant(month=NOVEMBER) == 1
    assert monthly_credit_grant(month=NOVEMBER) == 0
    assert monthly_credit_grant(month=OCTOBER) == 1

    assert entries() == [("monthly_credit", FIRST, "", CREDIT), ("monthly_credit", date(2026, 10, 1), "", CREDIT)]
    assert not LedgerEntry.objects.filter(account__in=[inactive, nothing]).exists()


def test_credit_already_granted_and_usage_to_charge_cost_no_query_for_each_account(account: Account) -> None:
    def queries(day: date) -> tuple[int, int]:
        monthly_credit_grant(month=NOVEMBER)
        with CaptureQueriesContext(connection) as granting:
            assert monthly_credit_grant(month=NOVEMBER) == 0
        for each in Account.objects.all():
            used(each, day, USD)
        with CaptureQueriesContext(connection) as charging:
            assert usage_charge(before=TODAY) == Account.objects.count()
        return len(granting), len(charging)

    few = queries(date(2026, 11, 5))
    for _ in range(3):
        old_account()

    assert queries(date(2026, 11, 6)) == few


def test_closed_month_gets_no_credit_any_more(account: Account) -> None:
    Plan.objects.update(credit_micro_usd=0)
    list(month_close(month=OCTOBER, now=T0))
    Plan.objects.update(credit_micro_usd=CREDIT)

    assert monthly_credit_grant(month=OCTOBER) == 0
    assert entries() == []


def test_grants_from_two_sides_at_once_are_there_once(live: None) -> None:
    accounts = [make_account() for _ in range(5)]

    n_granted = at_once(*[lambda: monthly_credit_grant(month=NOVEMBER)] * 4)

    assert sum(n_granted) == 5
    assert sorted(LedgerEntry.objects.values_list("account_id", "amount_micro_usd")) == [
        (account.pk, CREDIT) for account in accounts
    ]


def test_each_day_is_charged_once_and_today_not_yet(account: Account) -> None:
    other = make_account()
    used(account, date(2026, 11, 20), 5_000)
    used(account, date(2026, 11, 20), 7_000, service="map-load")
    used(account, date(2026, 11, 22), 3_000)
    used(account, TODAY, 9_000)
    used(other, date(2026, 11, 22), 1)

    assert usage_charge(before=TODAY) == 3
    assert usage_charge(before=TODAY) == 0

    assert entries(account) == [("usage", FIRST, "2026-11-20#1", -12_000), ("usage", FIRST, "2026-11-22#1", -3_000)]
    assert entries(other) == [("usage", FIRST, "2026-11-22#1", -1)]


def test_day_without_a_cost_is_not_charged(account: Account) -> None:
    used(account, date(2026, 11, 20), 0)
    DailyUsage.objects.update(outcome=OUTCOMES[Outcome.RATE_LIMIT].number)

    assert usage_charge(before=TODAY) == 0
    assert entries() == []


def test_usage_that_comes_after_the_charge_is_charged_by_itself(account: Account) -> None:
    used(account, date(2026, 11, 20), 5_000)
    usage_charge(before=TODAY)
    used(account, date(2026, 11, 20), 2_000)
    usage_charge(before=TODAY)
    used(account, date(2026, 11, 20), -4_000)
    usage_charge(before=TODAY)

    assert entries(account) == [
        ("usage", FIRST, "2026-11-20#1", -5_000),
        ("usage", FIRST, "2026-11-20#2", -2_000),
        ("usage", FIRST, "2026-11-20#3", 4_000),
    ]
    assert plain_sum(account) == -3_000


def test_usage_of_a_closed_month_is_charged_to_the_open_one(account: Account) -> None:
    used(account, date(2026, 10, 9), 5_000)
    list(month_close(month=OCTOBER, now=T0, account=account))
    used(account, date(2026, 10, 9), 1_000)
    used(account, date(2026, 10, 10), 2_000)

    assert usage_charge(before=TODAY) == 2
    assert usage_charge(before=TODAY) == 0

    assert entries(account)[-2:] == [
        ("late_usage", FIRST, "2026-10-09#2", -1_000),
        ("late_usage", FIRST, "2026-10-10#1", -2_000),
    ]


def test_usage_of_a_month_long_over_and_not_closed_is_charged_to_that_month(account: Account) -> None:
    used(account, date(2026, 2, 28), 5_000)

    usage_charge(before=TODAY)

    assert entries(account) == [("usage", date(2026, 2, 1), "2026-02-28#1", -5_000)]


def test_usage_in_the_name_of_no_account_keeps_nobody_from_being_charged(account: Account) -> None:
    used(account, date(2026, 11, 20), 5_000)
    used(Account(pk=account.pk + 10_000), date(2026, 11, 22), 3)

    assert usage_charge(before=TODAY) == 1
    assert entries() == [("usage", FIRST, "2026-11-20#1", -5_000)]


def test_interrupted_charge_writes_nothing(account: Account) -> None:
    used(account, date(2026, 11, 20), 5_000)
    used(account, date(2026, 11, 21), 5_000)
    with connection.cursor() as cursor:
        cursor.execute("""
            ALTER TABLE billing_ledgerentry ADD CONSTRAINT power_cut CHECK (usage_on <> '2026-11-21') NOT VALID
        """)

    with pytest.raises(IntegrityError), transaction.atomic():
        usage_charge(before=TODAY)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_ledgerentry DROP CONSTRAINT power_cut")
    assert entries() == []
    assert usage_charge(before=TODAY) == 2


def test_charges_from_many_sides_at_once_charge_each_day_once(live: None) -> None:
    accounts = [old_account() for _ in range(3)]
    for account in accounts:
        for n in range(1, 6):
            used(account, date(2026, 11, n), 1_000 * n)

    n_made = at_once(
        *[lambda: usage_charge(before=TODAY)] * 3, *[lambda: usage_charge(before=TODAY, account_ids=[accounts[0].pk])]
    )

    assert sum(n_made) == 15
    assert [plain_sum(account) for account in accounts] == [-15_000] * 3


def test_a_grant_is_one_by_its_source_whatever_the_month(account: Account) -> None:
    def post(month: Month, kind: EntryKind) -> bool:
        return entry_post(account=account, month=month, kind=kind, amount_micro_usd=USD, source="ticket 1")

    assert post(OCTOBER, EntryKind.GRANT)
    assert not post(NOVEMBER, EntryKind.GRANT)
    assert post(NOVEMBER, EntryKind.DEPOSIT)
    assert [kind for kind, *_ in entries()] == ["grant", "deposit"]

    again = LedgerEntry.objects.get(kind=EntryKind.GRANT)
    again.pk, again.period_on = None, NOVEMBER.first_day
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()


def test_new_money_is_announced_to_the_gates_after_its_commit(live: None) -> None:
    account = make_account()
    heard = redis_client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    with heard:
        heard.subscribe(changes_channel())
        heard.get_message(timeout=1)
        credit_grant(account=account, amount_micro_usd=USD, reason="sorry", source="ticket 1")
        credit_grant(account=account, amount_micro_usd=USD, reason="sorry", source="ticket 1")

        first, second = heard.get_message(timeout=2), heard.get_message(timeout=0.1)

    assert first["data"] == f"account:{account.pk}".encode()
    assert second is None
