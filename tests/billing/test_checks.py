"""Statements are compared as well, one account by itself, and what was found is kept and shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from accounts.models import Account
from billing.ledger import usage_charge
from billing.management.commands import verify_usage as command
from billing.models import Check, Statement, StatementLine
from billing.tasks import verify_usage
from billing.verification import usage_verify
from keys.services import CreatedKey
from stats.models import DailyUsage, UsageRecord
from tests.billing.books import OCTOBER, old_account, stop_clock
from tests.billing.test_verification import DAY, TODAY, change_day, true_flow, verify
from tests.factories import T0, make_event, make_key
from tests.road import store


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    monkeypatch.setattr(command, "utc_now", lambda: T0)


@pytest.fixture
def key(db: None) -> CreatedKey:
    return true_flow()


def statement_says_more() -> None:
    Statement.objects.update(gross_micro_usd=F("gross_micro_usd") + 1, net_micro_usd=F("net_micro_usd") + 1)


def line_says_less() -> None:
    StatementLine.objects.update(amount_micro_usd=F("amount_micro_usd") - 1)


@pytest.mark.parametrize(
    ("tamper", "sides"),
    [
        (statement_says_more, {"ledger - statements": -1, "statements - lines": 1}),
        (line_says_less, {"statements - lines": 1}),
    ],
)
def test_statement_that_is_not_the_ledger_is_named(
    key: CreatedKey, tamper: Callable[[], None], sides: dict[str, int]
) -> None:
    tamper()

    found = usage_verify(T0).differences

    assert {d.sides: d.cost_micro_usd for d in found} == sides
    assert {(d.account_id, d.day_on) for d in found} == {(key.key.account_id, OCTOBER.first_day)}


def test_one_account_is_compared_without_the_others(key: CreatedKey) -> None:
    other = make_key(old_account("other@example.com"))
    store(make_event(other, at=T0 - timedelta(days=2)))
    usage_charge(before=TODAY)
    DailyUsage.objects.filter(account=key.key.account).update(cost_micro_usd=1)

    assert usage_verify(T0, account=other.key.account).holds
    assert usage_verify(T0, account=other.key.account).n_days == 1
    assert not usage_verify(T0, account=key.key.account).holds
    answer = verify("--account", "other@example.com")
    assert (answer.code, answer.facts["n_days"]) == (0, 1)


def test_records_need_not_be_read_again_and_again(key: CreatedKey) -> None:
    UsageRecord.objects.filter(at__lt=T0 - timedelta(days=1)).delete()

    assert usage_verify(T0, records_from_on=TODAY).holds
    assert not usage_verify(T0).holds


def test_comparison_is_kept_with_the_first_difference(key: CreatedKey) -> None:
    verify_usage()
    change_day()
    verify_usage()

    broken, good = Check.objects.all()
    assert (good.holds, good.first_difference, good.account_ids) == (True, "", [])
    assert good.totals["n_days"] == good.totals["n_records"] == 12
    assert (broken.holds, broken.n_differences, broken.account_ids) == (False, 3, [key.key.account_id])
    assert broken.first_difference == (
        f"hours - days of account {key.key.account_id} on {DAY}: +0 requests, +0 units, $0.024999"
    )


def test_page_and_mark_say_that_statistics_are_the_statement(alice: Account, alice_client: Client) -> None:
    store(make_event(make_key(alice), at=T0 - timedelta(days=2)))
    usage_charge(before=TODAY)
    verify_usage()

    page = alice_client.get("/billing/check?month=2026-11").content.decode()
    mark = alice_client.get("/billing/check?month=2026-11", headers={"HX-Request": "true"}).content.decode()

    assert "Statistics = ledger, as far as charged" in page and "It happens every hour" in page
    assert "Statistics = ledger" in mark and "$0.005" in mark and "checked" in mark and "<html" not in mark
    statistics = alice_client.get("/statistics?from=2026-11-01&to=2026-11-30").content.decode()
    assert 'hx-get="/billing/check?month=2026-11"' in statistics
    assert "/billing/check" not in alice_client.get("/statistics?from=2026-11-02&to=2026-11-30").content.decode()


def test_mark_warns_where_a_difference_was_found(alice: Account, alice_client: Client) -> None:
    store(make_event(make_key(alice), at=T0 - timedelta(days=2)))
    usage_charge(before=TODAY)
    DailyUsage.objects.update(cost_micro_usd=1)

    page = alice_client.get("/billing/check?month=2026-11").content.decode()

    assert "Statistics, ledger and statement differ" in page
    assert alice_client.get("/billing/check?month=october").status_code == 404
