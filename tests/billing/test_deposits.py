from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.actors import Actor, acting
from accounts.audit_actions import ActorKind
from accounts.models import AuditEntry
from billing import deposits
from billing.deposits import adjustment_post, deposit_record, refund_record
from billing.errors import NothingToMove, RefundTooHigh
from billing.models import EntryKind, LedgerEntry
from billing.selectors import allowance_of, balance_of
from tests.billing.books import CREDIT, NOVEMBER, USD, entries, old_account, stop_clock, used
from tests.factories import T0

pytestmark = pytest.mark.django_db
NEXT_MONTH = T0 + timedelta(days=20)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    monkeypatch.setattr(deposits, "utc_now", lambda: T0)


def test_deposit_told_again_is_written_once_in_whatever_month(monkeypatch: pytest.MonkeyPatch) -> None:
    account = old_account()
    assert deposit_record(account=account, amount_micro_usd=20 * USD, source="stripe:1")
    monkeypatch.setattr(deposits, "utc_now", lambda: NEXT_MONTH)
    assert not deposit_record(account=account, amount_micro_usd=20 * USD, source="stripe:1")
    assert entries(account) == [("deposit", date(2026, 11, 1), "stripe:1", 20 * USD)]


def test_database_refuses_the_same_payment_in_another_month() -> None:
    account = old_account()
    deposit_record(account=account, amount_micro_usd=USD, source="stripe:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(
            account=account,
            period_on=date(2026, 12, 1),
            kind=EntryKind.DEPOSIT,
            source="stripe:1",
            amount_micro_usd=USD,
            created_at=T0,
        )


def test_deposit_raises_what_may_be_spent_and_names_its_author() -> None:
    account = old_account()
    with acting(lambda: Actor(ActorKind.OPERATOR, "op@example.com")):
        deposit_record(account=account, amount_micro_usd=20 * USD, source="bank 1", note="Bank transfer")
    assert allowance_of(account, NOVEMBER) == CREDIT + 20 * USD
    entry = LedgerEntry.objects.get()
    assert (entry.author, entry.note) == ("op@example.com", "Bank transfer")
    change = AuditEntry.objects.get(action="money.deposited")
    assert change.changes == {
        "amount": [None, "$20.00"],
        "reference": [None, "bank 1"],
        "note": [None, "Bank transfer"],
    }


def test_refund_is_bounded_by_the_accounts_own_money() -> None:
    account = old_account()
    deposit_record(account=account, amount_micro_usd=20 * USD, source="bank 1")
    used(account, date(2026, 11, 3), CREDIT + 5 * USD)
    assert balance_of(account, NOVEMBER) == 15 * USD
    with pytest.raises(RefundTooHigh, match=r"\$15\.00"):
        refund_record(account=account, amount_micro_usd=15 * USD + 1, source="out 1")
    assert refund_record(account=account, amount_micro_usd=15 * USD, source="out 1")
    assert not refund_record(account=account, amount_micro_usd=15 * USD, source="out 1")
    assert balance_of(account, NOVEMBER) == 0


def test_free_credit_is_never_refunded() -> None:
    with pytest.raises(RefundTooHigh):
        refund_record(account=old_account(), amount_micro_usd=1, source="out")


def test_refund_that_was_made_elsewhere_is_written_whatever_it_leaves() -> None:
    account = old_account()
    assert refund_record(account=account, amount_micro_usd=USD, source="stripe:re_1", is_made=True)
    assert balance_of(account, NOVEMBER) == -USD


def test_adjustment_needs_an_amount_and_a_reason() -> None:
    account = old_account()
    for amount, reason in ((0, "why"), (USD, " ")):
        with pytest.raises(NothingToMove):
            adjustment_post(account=account, amount_micro_usd=amount, source="a", reason=reason)
    assert adjustment_post(account=account, amount_micro_usd=-USD, source="a", reason="Counted twice")
    assert entries(account) == [("adjustment", date(2026, 11, 1), "a", -USD)]


@pytest.mark.parametrize("amount", [0, -1])
def test_deposits_and_refunds_are_more_than_nothing(amount: int) -> None:
    account = old_account()
    for move in (deposit_record, refund_record):
        with pytest.raises(NothingToMove):
            move(account=account, amount_micro_usd=amount, source="x")
    assert entries(account) == []
