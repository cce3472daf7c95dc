"""Who used so many percent of their money is told, once each, by a notice for those who see the bills."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, AuditEntry, Notice
from accounts.notice_mails import notices_mail
from billing import alerts
from billing.alerts import percents_of, percents_set, spending_watch, thresholds_tell
from billing.budgets import budget_set
from billing.deposits import deposit_record
from billing.errors import ThresholdsInvalid
from billing.models import AlertCursor
from keys.models import ApiKey
from stats.outcomes import Outcome
from tests.billing.books import USD, stop_clock, used
from tests.factories import T0, make_account, make_event, make_key
from tests.stats.usage import push_events

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    monkeypatch.setattr(alerts, "utc_now", lambda: T0)
    monkeypatch.setattr("billing.budgets.utc_now", lambda: T0)
    monkeypatch.setattr("billing.deposits.utc_now", lambda: T0)


def told(account: Account | None = None) -> list[tuple[str, str]]:
    found = Notice.objects.all() if account is None else Notice.objects.filter(account=account)
    return list(found.order_by("id").values_list("kind", "source"))


def tell(*accounts: Account, now: datetime = T0) -> int:
    return thresholds_tell(account_ids=[account.pk for account in accounts], now=now)


def spend(account: Account, dollars: int) -> None:
    used(account, T0.date(), dollars * USD)


def test_each_threshold_of_the_credit_is_told_once_and_only_the_highest(alice: Account) -> None:
    for dollars, n_new in ((49, 0), (1, 1), (10, 0), (25, 1), (15, 1)):
        spend(alice, dollars)
        assert (tell(alice), tell(alice)) == (n_new, 0)
    assert told() == [("credit_threshold", f"2026-11:{percent}") for percent in (50, 80, 100)]
    assert set(Notice.objects.values_list("permission", flat=True)) == {"SEE_BILLS"}


def test_balance_counts_with_the_credit(alice: Account) -> None:
    deposit_record(account=alice, amount_micro_usd=100 * USD, source="bank 1")
    spend(alice, 99)
    assert tell(alice) == 0
    spend(alice, 1)
    assert tell(alice) == 1
    assert told() == [("credit_threshold", "2026-11:50")]


def test_what_is_too_little_for_the_next_request_is_all_used(alice: Account) -> None:
    spend(alice, 99)
    push_events([make_event(make_key(alice), outcome=Outcome.CREDIT_EXHAUSTED)])
    tell(alice)
    assert told() == [("credit_threshold", "2026-11:100")]


def test_a_budget_is_told_of_at_its_own_parts_and_anew_when_it_changes(alice: Account) -> None:
    spend(alice, 4)
    budget_set(account=alice, amount_micro_usd=5 * USD)
    assert tell(alice) == 0
    budget_set(account=alice, amount_micro_usd=8 * USD)
    budget_set(account=alice, amount_micro_usd=0)
    assert told() == [
        ("budget_threshold", "2026-11:80:5000000"),
        ("budget_threshold", "2026-11:50:8000000"),
    ]
    assert Notice.objects.latest("id").facts == {"percent": 50, "budget_micro_usd": 8 * USD}


def test_a_key_s_spend_cap_is_told_of_and_its_lineage_counts_together(alice: Account) -> None:
    old, new, other = make_key(alice), make_key(alice), make_key(alice)
    caps = ApiKey.objects.filter(pk__in=[old.key.pk, new.key.pk])
    caps.update(spend_cap_micro_usd=10_000)
    ApiKey.objects.filter(pk=new.key.pk).update(lineage=old.key)
    push_events([make_event(old), make_event(new), make_event(other)])
    assert tell(alice) == 1
    notice = Notice.objects.get()
    assert (notice.kind, notice.source) == ("key_cap_threshold", f"key:{old.key.pk}:2026-11:100:10000")
    assert notice.facts["key_id"] == new.key.pk


def test_just_after_a_month_ends_both_months_are_looked_at(alice: Account) -> None:
    spend(alice, 60)
    first_minutes = datetime(2026, 11, 30, 17, 5, tzinfo=UTC)
    assert tell(alice, now=first_minutes) == 1
    assert told() == [("credit_threshold", "2026-11:50")]


def test_watching_looks_at_those_who_spent_since_and_at_nobody_twice(alice: Account) -> None:
    key, other = make_key(alice), make_key(make_account())
    push_events([make_event(key, cost_micro_usd=60 * USD)])
    assert spending_watch() == 0, "What was used before the first time is told of when more is used."
    push_events([make_event(key), make_event(other)])
    assert (spending_watch(), spending_watch()) == (1, 0)
    assert told(alice) == [("credit_threshold", "2026-11:50")]
    assert told(other.key.account) == []
    assert AlertCursor.objects.exists()


def test_a_refusal_alone_is_looked_at_as_well(alice: Account) -> None:
    key = make_key(alice)
    push_events([make_event(key, cost_micro_usd=99 * USD)])
    spending_watch()
    push_events([make_event(key, outcome=Outcome.CREDIT_EXHAUSTED)])
    assert spending_watch() == 1
    assert told() == [("credit_threshold", "2026-11:100")]


def test_many_accounts_cost_as_many_queries_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    accounts = [make_account() for _ in range(4)]
    for account in accounts:
        spend(account, 60)
    # Accounts; spent, thresholds; statements, usage, ledger; budgets; keys' caps; the notices.
    with django_assert_num_queries(9):
        assert tell(*accounts[:1]) == 1
    with django_assert_num_queries(9):
        assert tell(*accounts[1:]) == 3


def test_alert_is_mailed_to_who_sees_the_bills(alice: Account, mailoutbox: list[object]) -> None:
    spend(alice, 80)
    tell(alice)
    notices_mail()
    assert len(mailoutbox) == 1


def test_own_thresholds_hold_from_now_on_and_are_recorded(alice: Account) -> None:
    assert percents_of(alice) == (50, 80, 100)
    assert percents_set(account=alice, percents=[90, 10, 90])
    assert percents_of(alice) == (10, 90)
    assert not percents_set(account=alice, percents=[10, 90])
    spend(alice, 50)
    tell(alice)
    assert told() == [("credit_threshold", "2026-11:10")]
    entry = AuditEntry.objects.get(action="alerts.set")
    assert entry.changes == {"percents": ["50%, 80%, 100%", "10%, 90%"]}
    assert percents_set(account=alice, percents=[])
    spend(alice, 50)
    assert tell(alice) == 0


@pytest.mark.parametrize("percents", [[0], [101], [-5], range(1, 12)])
def test_thresholds_are_a_few_parts_of_a_whole(alice: Account, percents: list[int]) -> None:
    with pytest.raises(ThresholdsInvalid):
        percents_set(account=alice, percents=percents)
