from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Account
from keys.last_use import LastUse, key_uses_note
from keys.models import KeyUse
from stats.outcomes import Outcome
from stats.rollups import usage_roll_up
from tests.factories import T0, make_event, make_key
from tests.road import store

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def known() -> list[tuple[object, ...]]:
    return list(KeyUse.objects.order_by("key_id").values_list("key_id", "used_at", "origin", "ip"))


def test_later_use_replaces_an_earlier_one_and_never_the_reverse(alice: Account) -> None:
    first, second = (make_key(alice).key.pk for _ in range(2))
    key_uses_note([LastUse(first, T0, "https://a.vn", "10.0.0.1"), LastUse(second, T0, "", "10.0.0.2")])
    key_uses_note([LastUse(first, T0 + MINUTE, "", "10.0.0.3"), LastUse(second, T0 - MINUTE, "https://b.vn", "::1")])
    assert known() == [(first, T0 + MINUTE, "", "10.0.0.3"), (second, T0, "", "10.0.0.2")]


def test_nothing_and_a_key_that_is_gone_are_passed_over(alice: Account) -> None:
    key_uses_note([])
    key_uses_note([LastUse(10**9, T0, "", "10.0.0.1")])
    assert known() == []


def test_rollup_notes_the_last_request_that_passed_to_the_minute(alice: Account) -> None:
    created, other = make_key(alice), make_key(alice)
    at = T0 + timedelta(seconds=75)
    store(
        make_event(created, at=T0, origin="https://early.example.com"),
        make_event(created, at=at, origin="https://late.example.com", ip="203.0.113.9"),
        make_event(created, at=at + MINUTE, outcome=Outcome.ORIGIN_NOT_ALLOWED, origin="https://evil.example.org"),
        make_event(other, at=at, outcome=Outcome.RATE_LIMIT),
    )
    assert known() == [(created.key.pk, T0 + MINUTE, "https://late.example.com", "203.0.113.9")]


def test_rollup_run_again_changes_nothing(alice: Account) -> None:
    store(make_event(make_key(alice)))
    before = known()
    assert usage_roll_up() == 0
    assert known() == before
    assert len(before) == 1
