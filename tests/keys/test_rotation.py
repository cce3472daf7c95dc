"""Rotation: what the new key inherits, how long the old one works, how it is ended, cancelled, undone."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account, AuditEntry, User
from goongdash.lib.clock import utc_now
from keys.deletion import key_restore
from keys.errors import KeyHeld, KeyInvalid
from keys.limits import KeyLimits
from keys.models import ApiKey, Rotation, Service
from keys.overlap import Overlap, Quiet
from keys.rotation import OWN_FIELDS, Rotated, key_retire, key_rotate, key_rotation_cancel
from keys.selectors import counted_ids_of
from keys.services import CreatedKey, key_revoke
from keys.switching import key_disable
from keys.vault import decrypt, lookup_digest
from tests.factories import PASSWORD, make_key, owner_of
from tests.keys.test_services import Listener, update

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def rotate(created: CreatedKey | ApiKey, overlap: Overlap = Overlap.DAY, **options: Any) -> Rotated:
    key = created if isinstance(created, ApiKey) else created.key
    return key_rotate(key=key, overlap=overlap, **options)


def fresh(key: ApiKey) -> ApiKey:
    return ApiKey.objects.get(pk=key.pk)


def test_successor_has_a_text_of_its_own_and_inherits_all_else(alice: Account) -> None:
    geocode = Service.objects.get(slug="geocode")
    created = make_key(
        alice,
        name="Shop",
        description="Front",
        restrictions=["example.com", "10.0.0.1"],
        allows_no_origin=True,
        services=[geocode.pk],
        limits=KeyLimits(2, 100),
    )
    make_key(alice, restrictions=["other.example.com"])
    rotated = rotate(created, rotated_by=owner_of(alice))
    old, new = fresh(created.key), fresh(rotated.rotation.new)
    assert rotated.text and rotated.text != created.text
    assert (new.lookup_digest, decrypt(new.ciphertext)) == (lookup_digest(rotated.text), rotated.text)
    for field in ApiKey._meta.concrete_fields:
        if field.name not in OWN_FIELDS:
            assert getattr(new, field.attname) == getattr(old, field.attname), field.name
    assert list(new.services.all()) == [geocode]
    entries = [list(key.restrictions.values_list("kind", "text", "position")) for key in (old, new)]
    assert entries[0] == entries[1] == [("url", "http*://example.com/*", 0), ("ip", "10.0.0.1", 1)]
    assert (new.expires_at, new.created_by, new.version) == (None, owner_of(alice), 1)
    assert ApiKey.objects.count() == 3


def test_every_field_of_its_own_is_a_field() -> None:
    assert {field.name for field in ApiKey._meta.concrete_fields} >= OWN_FIELDS


@pytest.mark.parametrize(
    ("overlap", "length"), [(Overlap.HOUR, timedelta(hours=1)), (Overlap.DAY, DAY), (Overlap.WEEK, 7 * DAY)]
)
def test_old_key_expires_with_the_overlap(alice: Account, overlap: Overlap, length: timedelta) -> None:
    created, before = make_key(alice), utc_now()
    rotation = rotate(created, overlap, quiet=Quiet.DAY).rotation
    old = fresh(created.key)
    assert before + length <= rotation.ends_at <= utc_now() + length
    assert (old.expires_at, old.revoked_at, old.version) == (rotation.ends_at, None, 2)
    assert (rotation.quiet_for, rotation.old_expires_at) == (DAY, None)


def test_overlap_ends_with_the_old_key_s_own_expiry_and_the_new_one_is_renewed(alice: Account) -> None:
    now = utc_now()
    expires_at = now + timedelta(hours=5)
    created = make_key(alice, created_at=now - 90 * DAY, expires_at=expires_at)
    rotation = rotate(created, Overlap.WEEK).rotation
    assert (rotation.ends_at, rotation.old_expires_at) == (expires_at, expires_at)
    assert rotation.new.expires_at == rotation.started_at + 90 * DAY + timedelta(hours=5)


def test_rotation_at_once_deletes_the_old_key_and_asks_the_gates(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    created, listener = make_key(alice), Listener()
    with django_capture_on_commit_callbacks(execute=True):
        rotation = rotate(created, Overlap.NONE).rotation
    old, digests = fresh(created.key), (created.key.lookup_digest, rotation.new.lookup_digest)
    assert (old.revoked_at, old.expires_at) == (rotation.started_at, None)
    assert listener.lines() == [f"key:{digests[0]}", f"confirm:{digests[0]}", f"key:{digests[1]}"]


def test_rotated_twice_there_is_one_successor(alice: Account) -> None:
    created = make_key(alice)
    first, second = rotate(created), rotate(created, Overlap.WEEK)
    assert (second.rotation, second.text) == (first.rotation, None)
    assert ApiKey.objects.count() == 2
    assert AuditEntry.objects.filter(action="key.rotated").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        rotation = first.rotation
        Rotation.objects.create(
            old=make_key(alice).key, new=rotation.new, started_at=rotation.started_at, ends_at=rotation.ends_at
        )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda key: key_revoke(key=key), "deleted"),
        (lambda key: key_disable(key=key), "disabled"),
        (lambda key: ApiKey.objects.filter(pk=key.pk).update(expires_at=utc_now()), "expired"),
    ],
)
def test_key_that_does_not_work_is_not_rotated(alice: Account, change: Any, reason: str) -> None:
    created = make_key(alice)
    change(created.key)
    with pytest.raises(KeyHeld, match=reason):
        rotate(created)
    with pytest.raises(CommandError, match=reason) as caught:
        call_command("rotate_key", str(created.key.pk))
    assert caught.value.returncode == 1
    assert (ApiKey.objects.count(), Rotation.objects.count()) == (1, 0)


def test_lineage_is_that_of_the_first_key_however_often_it_is_rotated(
    alice: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, other = make_key(alice).key, make_key(alice).key
    second = rotate(first).rotation.new
    third = rotate(second).rotation.new
    keys = [fresh(key) for key in (first, second, third, other)]
    assert [key.counted_id for key in keys] == [first.pk, first.pk, first.pk, other.pk]
    with django_assert_num_queries(1):
        assert counted_ids_of([keys[2], keys[3]]) == {
            **dict.fromkeys([first.pk, second.pk, third.pk], first.pk),
            other.pk: other.pk,
        }
    with django_assert_num_queries(0):
        assert counted_ids_of([other]) == {other.pk: other.pk}


# ---- The end of the overlap ----


def test_retired_key_is_deleted_once_and_its_successor_stays(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    created = make_key(alice, name="Shop")
    new = rotate(created).rotation.new
    listener = Listener()
    with django_capture_on_commit_callbacks(execute=True):
        assert key_retire(key=created.key, because="by hand") is True
        assert key_retire(key=created.key, because="by hand") is False
    assert fresh(created.key).revoked_at is not None
    assert fresh(new).revoked_at is None
    assert listener.lines() == [f"key:{created.key.lookup_digest}", f"confirm:{created.key.lookup_digest}"]
    entry = AuditEntry.objects.get(action="key.retired")
    assert entry.changes == {"because": [None, "by hand"], "replaced by": [None, new.masked_text]}


def test_key_that_nothing_replaces_is_neither_retired_nor_cancelled(alice: Account) -> None:
    key = make_key(alice).key
    with pytest.raises(KeyHeld, match="No rotation"):
        key_retire(key=key, because="by hand")
    with pytest.raises(KeyHeld, match="No rotation"):
        key_rotation_cancel(key=key)


def test_retired_key_comes_back_with_its_own_expiry_beside_its_successor(alice: Account) -> None:
    expires_at = utc_now() + 90 * DAY
    created = make_key(alice, expires_at=expires_at)
    new = rotate(created).rotation.new
    key_retire(key=created.key, because="by hand")
    assert key_restore(key=created.key)
    old = fresh(created.key)
    assert (old.revoked_at, old.expires_at, old.counted_id) == (None, expires_at, new.counted_id)
    assert not Rotation.objects.exists()
    assert rotate(old).text


def test_expiry_of_a_key_that_is_being_replaced_is_not_edited(alice: Account) -> None:
    created = make_key(alice)
    rotate(created)
    key = fresh(created.key)
    update(key, version=2, name="Renamed")
    with pytest.raises(KeyInvalid, match="being replaced"):
        update(key, version=3, expires_at=None)
    assert fresh(key).expires_at == key.expires_at


# ---- Cancelling ----


@pytest.mark.parametrize("how", ["cancel", "delete the new key"])
def test_cancelled_rotation_leaves_the_old_key_as_it_was(alice: Account, how: str) -> None:
    expires_at = utc_now() + 90 * DAY
    created = make_key(alice, expires_at=expires_at)
    new = rotate(created).rotation.new
    if how == "cancel":
        key_rotation_cancel(key=created.key)
    else:
        key_revoke(key=new)
    old = fresh(created.key)
    assert (old.expires_at, old.revoked_at) == (expires_at, None)
    assert fresh(new).revoked_at is not None
    assert not Rotation.objects.exists()
    assert AuditEntry.objects.filter(action="key.rotation_cancelled", object_id=old.pk).count() == 1
    assert rotate(created).text


def test_rotation_that_is_over_is_not_cancelled_and_the_old_key_stays_dead(alice: Account) -> None:
    created, second = make_key(alice), make_key(alice)
    retired, over = rotate(created).rotation, rotate(second).rotation
    key_retire(key=created.key, because="by hand")
    now = utc_now()
    Rotation.objects.filter(pk=over.pk).update(started_at=now - DAY, ends_at=now)
    ApiKey.objects.filter(pk=second.key.pk).update(expires_at=now)
    for rotation in (retired, over):
        with pytest.raises(KeyHeld, match="is over"):
            key_rotation_cancel(key=rotation.old)
        key_revoke(key=rotation.new)
    assert fresh(created.key).revoked_at is not None
    assert fresh(second.key).expires_at == now


def test_rotation_whose_new_key_is_rotated_itself_is_not_cancelled(alice: Account) -> None:
    created = make_key(alice)
    second = rotate(created).rotation.new
    third = rotate(second).rotation.new
    with pytest.raises(KeyHeld, match="Cancel that rotation first"):
        key_rotation_cancel(key=created.key)
    key_rotation_cancel(key=second)
    key_rotation_cancel(key=created.key)
    assert [fresh(key).revoked_at is None for key in (created.key, second, third)] == [True, False, False]


# ---- The command ----


def test_command_prints_the_new_key_once(alice: Account) -> None:
    created, reports = make_key(alice), []
    for _ in range(2):
        out = StringIO()
        call_command("rotate_key", created.text, "--overlap", "1h", "--retire-unused", "1h", "--json", stdout=out)
        reports.append(json.loads(out.getvalue()))
    rotation = Rotation.objects.get()
    same = {"id": rotation.new_id, "old_id": created.key.pk, "old_ends_at": rotation.ends_at.isoformat()}
    assert lookup_digest(reports[0]["key"]) == rotation.new.lookup_digest
    assert reports == [
        {**same, "key": reports[0]["key"], "rotated": True},
        {**same, "key": None, "rotated": False},
    ]


def test_command_for_no_key_exits_1() -> None:
    with pytest.raises(CommandError, match="no such key"):
        call_command("rotate_key", "999999")


def test_operators_see_the_lineage_and_cannot_change_it(alice: Account) -> None:
    created = make_key(alice)
    new = rotate(created).rotation.new
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    page = client.get(reverse("admin:keys_apikey_change", args=[created.key.pk]))
    assertContains(page, f"{new}, since")
    assertNotContains(page, 'name="lineage"')


def test_key_that_was_cut_for_its_use_is_repaired_by_rotating_it(alice: Account) -> None:
    created = make_key(alice)
    ApiKey.objects.filter(pk=created.key.pk).update(spiked_at=utc_now(), spike_quota=10)
    new = rotate(created).rotation.new
    assert (new.spiked_at, new.spike_quota) == (None, None)
    assert fresh(created.key).spike_quota == 10
