"""Keys switched off and on: the services, the pages, who may, and what the gates hear."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.asserts import assertContains, assertNotContains

from accounts.actors import Actor, acting
from accounts.audit_actions import ActorKind
from accounts.models import Account, AuditEntry
from keys.errors import KeyHeld
from keys.models import ApiKey
from keys.services import key_revoke
from keys.switching import key_disable, key_enable
from tests.factories import make_key
from tests.keys.test_services import Listener

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/keys?q=shop"}
OPERATOR = Actor(ActorKind.OPERATOR, "operator@example.com")


def url(name: str, key: ApiKey) -> str:
    return reverse(f"keys:{name}", args=[key.pk])


def test_disabled_key_keeps_its_instant_and_is_enabled_as_it_was(alice: Account) -> None:
    key, other = make_key(alice, restrictions=["example.com"]).key, make_key(alice).key
    assert key_disable(key=key) is True
    key.refresh_from_db()
    disabled_at = key.disabled_at
    assert disabled_at is not None
    assert key_disable(key=key) is False
    key.refresh_from_db()
    assert key.disabled_at == disabled_at
    assert key_enable(key=key) is True
    assert key_enable(key=key) is False
    key.refresh_from_db()
    other.refresh_from_db()
    assert [key.disabled_at, key.disabled_by, other.disabled_at] == [None, "", None]
    assert list(key.restrictions.values_list("text", flat=True)) == ["http*://example.com/*"]


def test_each_change_is_in_the_history_once(alice: Account) -> None:
    key = make_key(alice, name="Shop").key
    for change in (key_disable, key_disable, key_enable, key_enable):
        change(key=key)
    entries = AuditEntry.objects.filter(object_kind="key", object_id=key.pk).order_by("pk")
    assert [entry.action for entry in entries] == ["key.created", "key.disabled", "key.enabled"]


def test_gates_confirm_what_is_disabled_and_drop_what_is_enabled(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    key = make_key(alice).key
    listener = Listener()
    with django_capture_on_commit_callbacks(execute=True):
        key_disable(key=key)
        key_enable(key=key)
    told = f"key:{key.lookup_digest}"
    assert listener.lines() == [told, f"confirm:{key.lookup_digest}", told]


def test_what_an_operator_switched_off_no_member_switches_on(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    with acting(lambda: OPERATOR):
        key_disable(key=key)
    with pytest.raises(KeyHeld, match="We switched this key off"):
        key_enable(key=key)
    page = alice_client.get("/keys")
    assertContains(page, "We switched this key off")
    assertNotContains(page, url("enable", key))
    assertContains(alice_client.post(url("enable", key), headers=HTMX), "gd-toast-error")
    key.refresh_from_db()
    assert key.disabled_at is not None


def test_deleted_key_is_neither_disabled_nor_enabled(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    key_revoke(key=key)
    for change in (key_disable, key_enable):
        with pytest.raises(KeyHeld, match="deleted"):
            change(key=key)
    assertContains(alice_client.post(url("disable", key), headers=HTMX), "This key is deleted.")


def test_disabling_asks_first_and_answers_with_the_list_as_it_was_shown(alice: Account, alice_client: Client) -> None:
    key, _ = make_key(alice, name="Shop").key, make_key(alice, name="Other")
    assertContains(alice_client.get(url("disable", key), headers=HTMX), "until you enable it again")
    key.refresh_from_db()
    assert key.disabled_at is None
    answer = alice_client.post(url("disable", key), headers=HTMX)
    assertContains(answer, "“Shop” is disabled")
    assertContains(answer, url("enable", key))
    assertNotContains(answer, "Other")
    assertContains(alice_client.post(url("enable", key), headers=HTMX), "“Shop” is enabled")


def test_second_click_is_harmless(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    for name in ("disable", "disable", "enable", "enable"):
        assert alice_client.post(url(name, key), headers=HTMX).status_code == 200
    assert AuditEntry.objects.filter(action__in=["key.disabled", "key.enabled"]).count() == 2


def test_key_page_comes_as_it_is_now_and_any_other_page_is_loaded_again(alice: Account, alice_client: Client) -> None:
    key = make_key(alice).key
    headers = {**HTMX, "HX-Current-URL": f"http://testserver/keys/{key.pk}"}
    answer = alice_client.post(url("disable", key), headers=headers)
    assertContains(answer, 'id="key-page" hx-swap-oob="true"')
    assertContains(answer, "This key was switched off")
    headers["HX-Current-URL"] = "http://testserver/statistics"
    answer = alice_client.post(url("enable", key), headers=headers)
    assert (answer["HX-Refresh"], answer.content) == ("true", b"")


@pytest.mark.parametrize(("method", "name"), [("put", "disable"), ("get", "enable")])
def test_wrong_method_is_refused(alice: Account, alice_client: Client, method: str, name: str) -> None:
    assert getattr(alice_client, method)(url(name, make_key(alice).key)).status_code == 405
