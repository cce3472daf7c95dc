"""create_key and revoke_key: what scripts read from them, and the exit codes."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Account
from keys.limits import KeyLimits
from keys.models import ApiKey
from keys.services import key_revoke
from keys.vault import lookup_digest
from tests.factories import make_key
from tests.receipts import gate_confirms, gate_runs

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def report_of(*arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run(*arguments, "--json"))
    return report


def create(account: Account, *arguments: str) -> tuple[str, ...]:
    email = account.members.get().email
    return ("create_key", "--account", email, "--type", "rest", "--name", "Backend", *arguments)


def test_create_key_prints_the_key_that_it_stored(alice: Account) -> None:
    report = report_of(*create(alice, "--allow", "example.com", "--allow", "10.0.0.0/8", "--allow-no-origin"))
    key = ApiKey.objects.get()
    assert report.keys() == {"id", "key"}
    assert report["id"] == key.pk
    assert lookup_digest(report["key"]) == key.lookup_digest
    assert (key.account, key.type, key.name, key.allows_no_origin) == (alice, "rest", "Backend", True)
    assert [entry.text for entry in key.restrictions.all()] == ["http*://example.com/*", "10.0.0.0/8"]


def test_create_key_may_only_report(alice: Account) -> None:
    report_of(*create(alice, "--allow", "example.com", "--report-only"))
    assert ApiKey.objects.get().is_report_only


def test_create_key_takes_limits_of_its_own(alice: Account) -> None:
    limits = ["--requests-per-day", "100", "--requests-per-month", "2000", "--spend-cap", "$12.50"]
    report_of(*create(alice, *limits))
    assert ApiKey.objects.get().limits == KeyLimits(None, 100, 2_000, 12_500_000)


def test_create_key_without_json_is_for_people(alice: Account) -> None:
    assert run(*create(alice)).startswith(f"Key {ApiKey.objects.get().pk}: gr_")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--account", "nobody@example.com"], 1, "There is no account of nobody@example.com."),
        (["--allow", "a b"], 2, "spaces"),
        (["--name", " "], 2, "needs a name"),
        (["--expires", "2027-01-31T00:00:00"], 2, "needs a zone"),
        (["--requests-per-month", "0"], 1, "is not a number from 1"),
        (["--requests-per-day", "1e3"], 1, "is not a number from 1"),
        (["--spend-cap", "12,50"], 1, "not an amount"),
        (["--spend-cap", "0"], 1, "more than nothing"),
    ],
)
def test_create_key_that_cannot_be_exits_with_the_reason(
    alice: Account, arguments: list[str], exit_code: int, message: str
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        run(*create(alice), *arguments)
    assert caught.value.returncode == exit_code
    assert ApiKey.objects.count() == 0


def test_revoke_key_takes_an_id_or_a_text_and_may_run_twice(alice: Account) -> None:
    created, other = make_key(alice), make_key(alice)
    assert report_of("revoke_key", created.text) == {"id": created.key.pk, "revoked": True}
    assert report_of("revoke_key", str(created.key.pk)) == {"id": created.key.pk, "revoked": False}
    assert list(ApiKey.objects.filter(revoked_at=None)) == [other.key]


@pytest.mark.parametrize("reference", ["999999", "gr_nothing", "9" * 40, "²"])
def test_revoke_key_of_no_key_exits_1(reference: str) -> None:
    with pytest.raises(CommandError, match="no such key") as caught:
        run("revoke_key", reference)
    assert caught.value.returncode == 1


def test_revoke_key_waits_for_the_gates_and_reports_them(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    created = make_key(alice)
    gate_runs("a")
    with django_capture_on_commit_callbacks(execute=True):
        key_revoke(key=created.key)
    with pytest.raises(CommandError, match="Not every gate") as caught:
        run("revoke_key", created.text, "--wait", "0.05")
    assert caught.value.returncode == 1
    gate_confirms("a", created.key.lookup_digest)
    report = report_of("revoke_key", created.text, "--wait", "5")["confirmations"]
    assert report["confirmed_at"] == report["refused_by_all_at"]
    assert (report["confirmed"], report["gates"], report["missing"]) == (1, 1, [])


def test_revoke_key_that_waits_says_when_there_is_no_receipt(alice: Account) -> None:
    created = make_key(alice)
    with pytest.raises(CommandError, match="Not every gate"):
        run("revoke_key", created.text, "--wait", "1")
    assert not ApiKey.objects.filter(revoked_at=None).exists()
