"""Notices of keys that expire: which, to whom, and each once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account, Notice
from accounts.notice_kinds import NOTICES, in_words
from goongdash.lib.clock import utc_now
from keys.expiry_notices import expiries_tell
from keys.models import ApiKey
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import key_revoke
from keys.switching import key_disable
from tests.factories import T0, make_key

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CREATED_AT = T0 - 365 * DAY


def expiring(account: Account, at: datetime, **options: Any) -> ApiKey:
    return make_key(account, created_at=CREATED_AT, expires_at=at, **options).key


def told() -> list[tuple[object, ...]]:
    rows = Notice.objects.order_by("pk").values_list("account", "kind", "permission", "facts")
    return [(account, kind, whose, facts["key"], facts["n_days"]) for account, kind, whose, facts in rows]


def test_each_stage_is_told_once_to_those_who_may_change_keys(alice: Account) -> None:
    expires_at = T0 + 60 * DAY
    expiring(alice, expires_at, name="Shop")
    expiring(alice, expires_at + 90 * DAY, name="Later")
    counts = [expiries_tell(now=T0 + hours * timedelta(hours=6)) for hours in range(4 * 61)]
    assert sum(counts) == 3
    common = (alice.pk, "key_expires", "CHANGE_KEYS", "Shop")
    assert told() == [(*common, 30), (*common, 7), (*common, 1)]
    words = NOTICES["key_expires"]
    facts = Notice.objects.latest("pk").facts
    assert in_words(words.title, facts) == "“Shop” expires in 1 day"


def test_missed_stage_is_not_made_good_beside_the_next(alice: Account) -> None:
    expiring(alice, T0 + 5 * DAY)
    assert (expiries_tell(now=T0), expiries_tell(now=T0)) == (1, 0)
    assert [row[-1] for row in told()] == [5]


def test_another_expiry_is_told_anew(alice: Account) -> None:
    key = expiring(alice, T0 + 5 * DAY)
    expiries_tell(now=T0)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=T0 + 6 * DAY)
    assert expiries_tell(now=T0) == 1


def test_key_that_ends_otherwise_is_not_told_of(alice: Account, charlie: Account) -> None:
    now = utc_now()
    soon = now + 5 * DAY
    deleted, disabled, rotated = (expiring(alice, soon) for _ in range(3))
    key_revoke(key=deleted)
    key_disable(key=disabled)
    key_rotate(key=rotated, overlap=Overlap.WEEK)
    expiring(charlie, soon)
    Account.objects.filter(pk=charlie.pk).update(is_active=False)
    expiring(alice, now - DAY)
    assert expiries_tell(now=now) == 0
