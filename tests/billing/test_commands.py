"""Billing's commands: what they say to people and scripts, and the exit code each ending has."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Account
from billing.management.commands import close_month, grant_monthly_credit, verify_usage
from billing.models import LedgerEntry, Price, Statement
from keys.models import Service
from stats.stream import redis_client, stream_key
from tests.billing.books import CREDIT, email_of, entries, old_account, stop_clock, used
from tests.factories import T0, make_event, make_key
from tests.processes import ROOT, process_environment
from tests.road import push

COMMANDS = ["grant_monthly_credit", "close_month", "verify_usage", "reprice", "seed_demo"]
OCTOBER_5 = T0.replace(month=10, day=5)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    for module in (close_month, grant_monthly_credit, verify_usage):
        monkeypatch.setattr(module, "utc_now", lambda: T0)


@pytest.fixture
def account(db: None) -> Account:
    return old_account("payer@example.com")


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue().strip()


def run_json(name: str, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(name, *arguments, "--json"))
    return answer


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_the_command_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command(name, "--help")

    assert end.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_grant_gives_this_months_credit_once(account: Account) -> None:
    old_account()

    assert run_json("grant_monthly_credit") == {"month": "2026-11", "granted": 2, "dry_run": False}
    assert run("grant_monthly_credit") == "Credit of 2026-11 granted to 0 accounts."
    assert set(LedgerEntry.objects.values_list("period_on", "amount_micro_usd")) == {(date(2026, 11, 1), CREDIT)}


def test_grant_can_be_for_one_account_and_month(account: Account) -> None:
    old_account()

    facts = run_json("grant_monthly_credit", "--month", "2026-12", "--account", "PAYER@example.com")

    assert facts == {"month": "2026-12", "granted": 1, "dry_run": False}
    assert entries() == [("monthly_credit", date(2026, 12, 1), "", CREDIT)]
    assert LedgerEntry.objects.get().account == account


def test_month_is_closed_with_all_usage_that_waits(account: Account) -> None:
    key = make_key(account)
    push(make_event(key, at=OCTOBER_5), make_event(key, at=OCTOBER_5))

    facts = {"month": "2026-10", "statements": 1, "gross_micro_usd": 10_000, "dry_run": False}
    assert run_json("close_month", "2026-10") == facts
    assert run("close_month", "2026-10") == "0 statements of 2026-10 written."
    assert Statement.objects.get().gross_micro_usd == 10_000
    assert redis_client().xlen(stream_key(0)) == 0


def test_dry_runs_say_what_would_be_written_and_write_nothing(account: Account) -> None:
    used(account, OCTOBER_5.date(), 10_000)

    assert run_json("close_month", "2026-10", "--dry-run")["gross_micro_usd"] == 10_000
    assert run("close_month", "2026-10", "--dry-run") == "1 statements of 2026-10 would be written."
    assert run("grant_monthly_credit", "--dry-run") == "Credit of 2026-11 would be granted to 1 accounts."

    assert (entries(), Statement.objects.count()) == ([], 0)


def test_reprice_says_what_a_month_would_have_cost_by_the_prices_of_now(account: Account) -> None:
    used(account, OCTOBER_5.date(), 10_000, units=2)
    used(old_account("other@example.com"), OCTOBER_5.date(), 5_000)
    Price.objects.create(
        service=Service.objects.get(slug="geocode"), price_micro_usd=7_000, effective_on=date(2026, 10, 2)
    )

    facts = run_json("reprice", "--month", "2026-10", "--dry-run")
    one = run("reprice", "--month", "2026-10", "--dry-run", "--account", "payer@example.com")

    assert (facts["charged_micro_usd"], facts["repriced_micro_usd"], facts["difference_micro_usd"]) == (
        15_000,
        21_000,
        6_000,
    )
    assert one.splitlines()[-1] == "2026-10, all in all: charged $0.01, now $0.014 ($0.004)"
    assert run("reprice", "--month", "2026-09", "--dry-run").startswith("2026-09, all in all: charged $0.00")
    with pytest.raises(CommandError, match="only --dry-run"):
        run("reprice", "--month", "2026-10")


def test_month_can_be_closed_for_one_account(account: Account) -> None:
    old_account()

    assert run_json("close_month", "2026-10", "--account", email_of(account))["statements"] == 1
    assert Statement.objects.get().account == account


def test_month_that_runs_is_not_closed(account: Account) -> None:
    with pytest.raises(CommandError, match="2026-11 is not over yet in Asia/Ho_Chi_Minh") as refused:
        run("close_month", "2026-11")

    assert refused.value.returncode == 1
    assert not Statement.objects.exists()


@pytest.mark.parametrize("arguments", [["close_month", "2026-10"], ["grant_monthly_credit"]])
def test_unknown_account_is_named_and_nothing_is_written(account: Account, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"no account of nobody@example\.com") as refused:
        run(*arguments, "--account", "nobody@example.com")

    assert refused.value.returncode == 1
    assert entries() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["close_month"],
        ["close_month", "2026-13"],
        ["close_month", "october"],
        ["close_month", "9999-12"],
        ["grant_monthly_credit", "--month", "11/2026"],
        ["verify_usage", "--wait", "long"],
        ["verify_usage", "--nonsense"],
    ],
)
def test_bad_arguments_are_refused(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"^Error: "):
        run(*arguments)

    assert entries() == []


def test_exit_codes_are_those_that_scripts_rely_on(live: None) -> None:
    """0: done. 1: it does not hold, or cannot be done. 2: bad arguments. As a shell sees them."""
    old_account()
    environment = process_environment(redis_prefix=settings.REDIS_PREFIX)

    def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    redis_client().xadd(stream_key(0), {"nonsense": "1"})
    good = shell("close_month", "2026-01", "--json")
    broken = shell("verify_usage", "--wait", "0", "--json")
    bad = shell("close_month", "January")

    assert (good.returncode, json.loads(good.stdout)["statements"]) == (0, 1)
    assert (broken.returncode, json.loads(broken.stdout)["ok"]) == (1, False)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "'January' is not a month; write it as 2026-11." in bad.stderr
    assert "Traceback" not in good.stderr + broken.stderr + bad.stderr
