"""Every writer of what the gates remember tells them, once it is committed: a real listener hears the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.changes import changes_channel
from accounts.models import Account, Plan, User
from accounts.services import account_set_plan
from billing.ledger import credit_grant, usage_charge
from billing.models import Price
from billing.statements import month_close
from goongdash.lib.clock import utc_now
from keys.models import ApiKey, Service
from keys.services import key_revoke, key_set_restrictions
from stats.stream import redis_client
from tests.billing.books import OCTOBER, old_account, stop_clock
from tests.factories import PASSWORD, T0, make_event, make_key
from tests.road import store

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    return client


Heard = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def heard(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Heard:
    """Runs what it holds, commits, and has the lines that a gate would have heard."""

    @contextmanager
    def listening() -> Iterator[list[str]]:
        lines: list[str] = []
        with redis_client().pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(changes_channel())
            assert pubsub.get_message(timeout=5)["type"] == "subscribe"
            with django_capture_on_commit_callbacks() as callbacks:
                yield lines
                assert pubsub.get_message(timeout=0.01) is None, "told before the commit"
            for callback in callbacks:
                callback()
            while message := pubsub.get_message(timeout=0.05):
                lines.append(message["data"].decode())

    return listening


def change(client: Client, row: Account | Plan | ApiKey | Service | Price, **fields: object) -> None:
    """Saves the row's own page in the admin, with some fields changed."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    page = client.get(url)
    form = page.context["adminform"].form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    for formset in (inline.formset for inline in page.context["inline_admin_formsets"]):
        data |= {f"{formset.prefix}-TOTAL_FORMS": 0, f"{formset.prefix}-INITIAL_FORMS": 0}
    sent = {name: "" if value is None else value for name, value in {**data, **fields}.items() if value is not False}
    assert client.post(url, sent).status_code == 302


def test_new_key(heard: Heard) -> None:
    with heard() as lines:
        key = make_key().key
    assert lines == [f"key:{key.lookup_digest}"]


def test_restrictions(heard: Heard) -> None:
    key = make_key().key
    with heard() as lines:
        key_set_restrictions(key=key, restrictions=["example.com"])
    assert lines == [f"key:{key.lookup_digest}"]


def test_revoked_key_is_to_be_confirmed_once(heard: Heard) -> None:
    key = make_key().key
    with heard() as lines:
        key_revoke(key=key)
    assert lines == [f"key:{key.lookup_digest}", f"confirm:{key.lookup_digest}"]
    with heard() as lines:
        key_revoke(key=key)
    assert lines == [f"key:{key.lookup_digest}"]


def test_key_disabled_and_enabled_by_an_operator(heard: Heard, operator: Client) -> None:
    key = make_key().key
    now = utc_now()
    with heard() as lines:
        change(operator, key, disabled_at_0=f"{now:%Y-%m-%d}", disabled_at_1=f"{now:%H:%M:%S}")
    assert lines == [f"key:{key.lookup_digest}", f"confirm:{key.lookup_digest}"]
    key.refresh_from_db()
    assert key.disabled_at is not None
    with heard() as lines:
        change(operator, key, disabled_at_0="", disabled_at_1="")
    assert lines == [f"key:{key.lookup_digest}"]


def test_plan_of_an_account(heard: Heard, alice: Account) -> None:
    with heard() as lines:
        account_set_plan(account=alice, plan=Plan.objects.exclude(pk=alice.plan_id)[0])
    assert lines == [f"account:{alice.pk}"]


def test_account_switched_off_by_an_operator(heard: Heard, operator: Client, alice: Account) -> None:
    with heard() as lines:
        change(operator, alice, is_active=False)
    alice.refresh_from_db()
    assert not alice.is_active
    assert lines == [f"account:{alice.pk}"]


def test_plan_service_and_price_changed_by_an_operator(heard: Heard, operator: Client) -> None:
    plan, service, price = Plan.objects.all()[0], Service.objects.all()[0], Price.objects.all()[0]
    with heard() as lines:
        change(operator, plan, rate_limit=7)
        change(operator, service, is_active=False)
        change(operator, price, price_micro_usd=9_999)
    assert lines == ["catalogue"] * 3
    assert Plan.objects.get(pk=plan.pk).rate_limit == 7
    assert not Service.objects.get(pk=service.pk).is_active
    assert Price.objects.get(pk=price.pk).price_micro_usd == 9_999


def test_credit(heard: Heard, alice: Account) -> None:
    for expected in ([f"account:{alice.pk}"], []):
        with heard() as lines:
            credit_grant(account=alice, amount_micro_usd=1, reason="", source="once")
        assert lines == expected


def test_late_usage_takes_from_the_open_month(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)
    account = old_account()
    key = make_key(account)
    list(month_close(month=OCTOBER, now=T0, account=account))
    store(make_event(key, at=datetime(2026, 10, 15, 3, tzinfo=UTC)))
    with heard() as lines:
        assert usage_charge(before=date(2026, 11, 23)) == 1
    assert lines == [f"account:{account.pk}"]
