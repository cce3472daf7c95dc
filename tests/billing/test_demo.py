"""The demo is there after one command, the same after two, and takes the road that real usage takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NoReturn

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import Model

from accounts.models import Account, User
from billing import demo
from billing.demo import EMAIL, N_DAYS, PASSWORD, demo_seed
from billing.models import LedgerEntry, Statement, StatementLine
from billing.selectors import allowance_of, credit_overview
from billing.verification import usage_verify
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of, days
from keys.models import ApiKey, Restriction
from keys.services import key_revoke
from keys.vault import lookup_digest
from stats.ingest import ingest_all
from stats.models import DailyUsage, HourlyUsage, UsageRecord
from tests.road import at_once

TABLES: tuple[type[Model], ...] = (
    Account,
    ApiKey,
    Restriction,
    DailyUsage,
    HourlyUsage,
    UsageRecord,
    LedgerEntry,
    Statement,
    StatementLine,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo of ninety days as ever, with fewer requests a day."""
    monkeypatch.setattr(demo, "REQUESTS_A_DAY", 5)


def seed() -> dict[str, Any]:
    out = StringIO()
    call_command("seed_demo", "--json", stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that the demo writes to."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in TABLES}


@pytest.mark.django_db
def test_seed_prints_the_login_and_three_keys_that_work_as_they_are_called() -> None:
    said = seed()

    assert set(said) == {"email", "password", "keys"}
    assert (said["email"], said["password"]) == (EMAIL, PASSWORD)
    assert set(said["keys"]) == {"rest", "tiles", "restricted"}
    keys = {slug: ApiKey.objects.get(lookup_digest=lookup_digest(text)) for slug, text in said["keys"].items()}
    assert {slug: key.type for slug, key in keys.items()} == {"rest": "rest", "tiles": "tiles", "restricted": "rest"}
    assert list(Restriction.objects.values_list("key", "text")) == [(keys["restricted"].pk, "http*://example.com/*")]
    assert authenticate(username=EMAIL, password=PASSWORD) == User.objects.get()
    assert ApiKey.objects.count() == 3


@pytest.mark.django_db
def test_demo_has_ninety_days_of_usage_and_its_books_are_true() -> None:
    seed()

    now, account = utc_now(), Account.objects.get()
    today = day_of(now, settings.BILLING_ZONE)
    expected = set(days(today - timedelta(days=N_DAYS), today - timedelta(days=1)))
    assert set(DailyUsage.objects.values_list("day_on", flat=True)) == expected
    assert usage_verify(now).differences == ()
    assert usage_verify(now).pending_charge_micro_usd == 0
    months = {Month.of(day) for day in expected} - {Month.of(today)}
    assert set(Statement.objects.values_list("period_on", flat=True)) == {month.first_day for month in months}
    overview = credit_overview(account, now)
    assert overview.credit_micro_usd == overview.allowance_micro_usd == allowance_of(account, overview.month)


@pytest.mark.django_db
def test_second_seed_changes_nothing() -> None:
    first = seed()
    before = contents()

    assert seed() == first

    assert contents() == before


@pytest.mark.django_db
def test_later_seed_adds_the_days_since_and_nothing_else() -> None:
    now = datetime(2026, 11, 23, 3, tzinfo=UTC)
    demo_seed(now=now)
    before = set(DailyUsage.objects.values_list("pk", "n_requests"))

    demo_seed(now=now + timedelta(days=2))

    after = set(DailyUsage.objects.values_list("pk", "n_requests"))
    new_days = set(DailyUsage.objects.exclude(pk__in=[pk for pk, _ in before]).values_list("day_on", flat=True))
    assert before < after
    assert new_days == {datetime(2026, 11, day, tzinfo=UTC).date() for day in (23, 24)}


@pytest.mark.django_db
def test_seed_killed_between_push_and_rollup_seeds_no_day_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "usage_catch_up", lambda: (0, 0))
        patch.setattr(demo, "_bill", die)
        with pytest.raises(KeyboardInterrupt):
            seed()
    assert UsageRecord.objects.count() == 0
    seed()
    n_records = UsageRecord.objects.count()

    seed()

    assert UsageRecord.objects.count() == n_records
    assert n_records == len(set(UsageRecord.objects.values_list("request_id", flat=True)))


@pytest.mark.django_db
def test_seed_puts_back_what_visitors_changed() -> None:
    first = seed()
    user = User.objects.get()
    user.set_password("changed by a visitor")
    user.save()
    key_revoke(key=ApiKey.objects.get(lookup_digest=lookup_digest(first["keys"]["rest"])))

    again = seed()

    assert authenticate(username=EMAIL, password=PASSWORD) == user
    assert again["keys"]["tiles"] == first["keys"]["tiles"]
    assert again["keys"]["rest"] != first["keys"]["rest"]
    assert ApiKey.objects.get(lookup_digest=lookup_digest(again["keys"]["rest"])).revoked_at is None


def test_two_seeds_at_once_make_one_demo(live: None) -> None:
    one, other = at_once(seed, seed)

    assert one == other
    assert (User.objects.count(), Account.objects.count(), ApiKey.objects.count()) == (1, 1, 3)
    ids = list(UsageRecord.objects.values_list("request_id", flat=True))
    assert len(set(ids)) == len(ids)
    assert ingest_all() == 0
    assert usage_verify(utc_now()).differences == ()
