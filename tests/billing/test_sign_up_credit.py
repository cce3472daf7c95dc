"""A plan may give its credit once, at sign-up, instead of each month."""

from __future__ import annotations

import pytest

from accounts.models import Account, CreditPeriod, Plan
from billing.ledger import monthly_credit_grant
from billing.models import EntryKind, LedgerEntry
from billing.months import sign_up_month
from billing.selectors import allowance_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: Account) -> Account:
    Plan.objects.filter(pk=alice.plan_id).update(credit_period=CreditPeriod.ONCE, credit_micro_usd=7_000)
    return Account.objects.select_related("plan").get(pk=alice.pk)


def test_credit_given_once_lasts_and_is_not_given_again(account: Account) -> None:
    month = sign_up_month(account)
    granted = [monthly_credit_grant(month=each) for each in (month, month, month.next, month.next.next)]
    assert granted == [1, 0, 0, 0]
    (entry,) = LedgerEntry.objects.all()
    assert (entry.kind, entry.amount_micro_usd, entry.period_on) == (EntryKind.GRANT, 7_000, month.first_day)
    assert [allowance_of(account, each) for each in (month, month.next, month.next.next)] == [7_000] * 3


def test_credit_given_once_can_be_spent_before_it_is_written(account: Account) -> None:
    month = sign_up_month(account)
    assert [allowance_of(account, each) for each in (month, month.next)] == [7_000] * 2
    assert LedgerEntry.objects.count() == 0
