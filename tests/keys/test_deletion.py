"""Deletion taken back within 30 days, and made final after them."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.asserts import assertContains, assertNotContains

from accounts.actors import Actor, acting
from accounts.audit_actions import ActorKind
from accounts.models import Account, AuditEntry
from goongdash.lib.clock import utc_now
from keys.deletion import UNDO_FOR, deleted_rows, key_restore, keys_forget
from keys.errors import KeyHeld, KeyInvalid
from keys.models import ApiKey
from keys.selectors import key_by_reference
from keys.services import CreatedKey, key_revoke
from keys.switching import key_disable, key_enable
from keys.tasks import forget_deleted
from keys.vault import decrypt
from tests.factories import T0, make_key, make_member
from tests.keys.test_services import Listener
from tests.receipts import gate_confirms, gate_runs

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
LONG_AGO = UNDO_FOR + timedelta(seconds=1)


def delete(created: CreatedKey, *, ago: timedelta = timedelta(0), **fields: Any) -> ApiKey:
    key_revoke(key=created.key)
    ApiKey.objects.filter(pk=created.key.pk).update(revoked_at=utc_now() - ago, **fields)
    return ApiKey.objects.get(pk=created.key.pk)


def undo(client: Client, key: ApiKey, **headers: str) -> Any:
    return client.post(reverse("keys:undo", args=[key.pk]), headers={**HTMX, **headers})


def test_key_comes_back_with_its_text_and_all_that_it_had(alice: Account) -> None:
    created, other = make_key(alice, name="Shop", restrictions=["example.com"]), make_key(alice)
    key, _ = delete(created, ago=UNDO_FOR - timedelta(minutes=1)), delete(other)
    assert key_restore(key=key) is True
    key.refresh_from_db()
    assert (key.revoked_at, decrypt(key.ciphertext)) == (None, created.text)
    assert list(key.restrictions.values_list("text", flat=True)) == ["http*://example.com/*"]
    assert list(ApiKey.objects.filter(revoked_at=None)) == [key]
    assert key_restore(key=key) is False


def test_undo_is_in_the_history_with_what_the_gates_had_confirmed(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    created = make_key(alice, name="Shop")
    for gate in "ab":
        gate_runs(gate)
    with django_capture_on_commit_callbacks(execute=True):
        key_revoke(key=created.key)
    gate_confirms("a", created.key.lookup_digest)
    listener = Listener()
    with django_capture_on_commit_callbacks(execute=True):
        key_restore(key=created.key)
        key_restore(key=created.key)
    entry = AuditEntry.objects.get(action="key.restored")
    assert (entry.account, entry.object_id, entry.object_name) == (alice, created.key.pk, "Shop")
    assert entry.changes["refused by"][0].startswith("1 of 2 gates, 20")
    assert entry.changes["deleted"][1] is None
    assert listener.lines() == [f"key:{created.key.lookup_digest}"]


@pytest.mark.parametrize(
    ("ago", "fields", "reason"),
    [
        (LONG_AGO, {}, "more than 30 days ago"),
        (timedelta(days=1), {"ciphertext": b""}, "for good"),
        (timedelta(days=1), {"expires_at": T0}, "expired meanwhile"),
    ],
)
def test_too_late_is_said_and_changes_nothing(
    alice: Account, alice_client: Client, ago: timedelta, fields: dict[str, Any], reason: str
) -> None:
    key = delete(make_key(alice), ago=ago, **fields)
    with pytest.raises(KeyHeld, match=reason):
        key_restore(key=key)
    assertContains(undo(alice_client, key), "stays deleted.")
    page = alice_client.get("/keys/deleted")
    assertContains(page, reason)
    assertNotContains(page, reverse("keys:undo", args=[key.pk]))
    with pytest.raises(CommandError, match=reason) as caught:
        call_command("revoke_key", str(key.pk), "--undo")
    assert caught.value.returncode == 1
    key.refresh_from_db()
    assert key.revoked_at is not None


@pytest.mark.parametrize(("ago_s", "days_left"), [(0, 30), (86_399, 30), (86_400, 29), (30 * 86_400 - 1, 1)])
def test_days_left_count_the_one_that_has_begun(alice: Account, ago_s: int, days_left: int) -> None:
    key = delete(make_key(alice))
    assert key.revoked_at is not None
    (row,) = deleted_rows([key], now=key.revoked_at + timedelta(seconds=ago_s))
    assert (row.days_left, row.fault) == (days_left, None)


# ---- For good ----


def test_text_is_forgotten_after_thirty_days_and_only_then(alice: Account) -> None:
    old, new, alive = delete(make_key(alice), ago=LONG_AGO), delete(make_key(alice)), make_key(alice).key
    assert (forget_deleted(), forget_deleted()) == (1, 0)
    sizes = {key.pk: len(key.ciphertext) for key in ApiKey.objects.all()}
    assert [bool(sizes[key.pk]) for key in (old, new, alive)] == [False, True, True]
    assert AuditEntry.objects.filter(action="key.forgotten").values_list("object_id").get() == (old.pk,)


def test_forgotten_text_is_still_known_as_deleted_and_taken_up_by_nobody(alice: Account, charlie: Account) -> None:
    created = make_key(alice, text="7fKq2LwP9xQeT4bVn8RmYc3ZsHd6JgUa1Xo5EiNt")
    delete(created)
    assert keys_forget(now=utc_now() + LONG_AGO) == 1
    assert key_by_reference(created.text) == created.key
    with pytest.raises(KeyInvalid, match="in use already"):
        make_key(charlie, text=created.text)


# ---- The pages ----


def test_deletion_offers_to_be_undone_and_the_list_has_the_key_again(alice: Account, alice_client: Client) -> None:
    key = make_key(alice, name="Shop").key
    answer = alice_client.post(reverse("keys:delete", args=[key.pk]), headers=HTMX)
    assertContains(answer, f'hx-post="{reverse("keys:undo", args=[key.pk])}"')
    for answer in (undo(alice_client, key), undo(alice_client, key)):
        assertContains(answer, "“Shop” is back")
        assertContains(answer, f'id="key-{key.pk}"')
    assert AuditEntry.objects.filter(action="key.restored").count() == 1


def test_deleted_keys_say_how_long_they_can_be_brought_back(alice: Account, alice_client: Client) -> None:
    key = delete(make_key(alice, name="Shop"), ago=timedelta(days=29))
    page = alice_client.get("/keys/deleted")
    assertContains(page, "1 day left")
    assertContains(page, reverse("keys:undo", args=[key.pk]))
    answer = undo(alice_client, key, **{"HX-Current-URL": "http://testserver/keys/deleted"})
    assert answer["HX-Refresh"] == "true"
    assertContains(alice_client.get("/keys/deleted"), "“Shop” is back")


def test_who_may_look_only_is_offered_no_undo(alice: Account) -> None:
    key = delete(make_key(alice))
    viewer = Client()
    viewer.force_login(make_member(alice, "viewer").user)
    page = viewer.get("/keys/deleted")
    assertContains(page, "30 days left")
    assertNotContains(page, reverse("keys:undo", args=[key.pk]))


def test_undo_is_no_get(alice: Account, alice_client: Client) -> None:
    assert alice_client.get(reverse("keys:undo", args=[delete(make_key(alice)).pk])).status_code == 405


def test_command_brings_a_key_back_and_may_run_twice(alice: Account) -> None:
    key, reports = delete(make_key(alice)), []
    for _ in range(2):
        out = StringIO()
        call_command("revoke_key", str(key.pk), "--undo", "--json", stdout=out)
        reports.append(json.loads(out.getvalue()))
    assert reports == [{"id": key.pk, "restored": True}, {"id": key.pk, "restored": False}]


@pytest.mark.parametrize("kind", [ActorKind.OPERATOR, ActorKind.COMMAND])
def test_what_an_operator_deleted_no_member_brings_back(alice: Account, alice_client: Client, kind: ActorKind) -> None:
    key = make_key(alice).key
    with acting(lambda: Actor(kind, "op@example.com")):
        key_revoke(key=key)
    alice_client.post(reverse("keys:undo", args=[key.pk]))
    assertContains(alice_client.get(reverse("receipts:deleted")), "We deleted this key ourselves")
    key.refresh_from_db()
    assert key.revoked_at is not None
    with acting(lambda: Actor(kind, "op@example.com")):
        assert key_restore(key=key)
    restored = ApiKey.objects.get(pk=key.pk)
    assert (restored.revoked_at, restored.revoked_by) == (None, "")


def test_key_that_is_off_is_held_by_an_operator_all_the_same(alice: Account) -> None:
    key = make_key(alice).key
    with acting(lambda: Actor(ActorKind.MEMBER, "alice@example.com")):
        assert key_disable(key=key)
    with acting(lambda: Actor(ActorKind.OPERATOR, "op@example.com")):
        assert key_disable(key=key)
        assert not key_disable(key=key)
    with acting(lambda: Actor(ActorKind.MEMBER, "alice@example.com")), pytest.raises(KeyHeld):
        key_enable(key=key)
