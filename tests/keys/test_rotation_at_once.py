"""Two who rotate, end or cancel at the same instant."""

from __future__ import annotations

from accounts.models import AuditEntry
from keys.errors import KeyHeld
from keys.models import ApiKey, Rotation
from keys.overlap import Overlap
from keys.rotation import key_retire, key_rotate, key_rotation_cancel
from tests.factories import make_key
from tests.road import at_once


def test_two_clicks_at_once_make_one_successor(live: None) -> None:
    key = make_key().key
    done = at_once(*(lambda: key_rotate(key=key, overlap=Overlap.DAY) for _ in range(4)))
    assert sorted(each.text is not None for each in done) == [False, False, False, True]
    assert len({each.rotation.new_id for each in done}) == 1
    assert (ApiKey.objects.count(), Rotation.objects.count()) == (2, 1)
    assert AuditEntry.objects.filter(action="key.rotated").count() == 1


def test_retiring_and_cancelling_at_once_leave_one_key_that_works(live: None) -> None:
    key = make_key().key
    key_rotate(key=key, overlap=Overlap.DAY)

    def retire() -> bool:
        try:
            return key_retire(key=key, because="by hand")
        except KeyHeld:
            return False

    def cancel() -> bool:
        try:
            key_rotation_cancel(key=key)
        except KeyHeld:
            return False
        return True

    assert sorted(at_once(retire, cancel, retire, cancel)) == [False, False, False, True]
    assert ApiKey.objects.filter(revoked_at=None).count() == 1
