from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Account
from keys import origin_sums
from keys.models import KeyOrigin
from keys.origin_sums import OriginSum, key_origins_note
from stats import origin_sums as rollup
from stats.outcomes import Outcome
from tests.factories import T0, make_event, make_key
from tests.road import at_once, copies, store

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollup, "utc_now", lambda: T0)


def known(*fields: str) -> list[tuple[object, ...]]:
    return list(
        KeyOrigin.objects.order_by("key_id", "origin").values_list(*fields or ("origin", "n_requests", "n_hour"))
    )


def summed(key_id: int, origin: str, n: int = 1, n_hour: int = 0) -> OriginSum:
    return OriginSum(key_id, origin, T0, T0, n, n_hour)


def test_rollup_adds_up_what_passed_by_origin(alice: Account) -> None:
    created = make_key(alice)
    store(*copies(make_event(created), 3), make_event(created, origin=""), make_event(created, at=T0 - HOUR))
    store(*copies(make_event(created, at=T0 + HOUR / 2), 2))
    assert known() == [("", 1, 1), ("https://example.com", 6, 5)]
    assert known("first_seen_at", "last_seen_at", "hour_at")[1] == (T0 - HOUR, T0 + HOUR / 2, T0)


def test_refused_requests_and_the_parts_of_maps_are_no_use(alice: Account) -> None:
    created = make_key(alice)
    refused = make_event(created, outcome=Outcome.ORIGIN_NOT_ALLOWED, origin="https://evil.example")
    store(refused, make_event(created, units=0, origin="https://tiles.example"))
    assert known() == []


def test_sum_of_an_hour_gives_way_to_that_of_the_next(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    created = make_key(alice)
    store(*copies(make_event(created), 3))
    monkeypatch.setattr(rollup, "utc_now", lambda: T0 + HOUR)
    store(make_event(created, at=T0 + HOUR), make_event(created))
    assert known("n_requests", "hour_at", "n_hour") == [(5, T0 + HOUR, 1)]


def test_origins_of_a_key_are_bounded_and_the_rest_is_added_up(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin_sums, "MAX_ORIGINS", 3)
    monkeypatch.setattr(rollup, "MAX_ORIGINS", 3)
    created, other = make_key(alice), make_key(alice)
    store(*(make_event(created, origin=f"https://{n}.example") for n in range(10) for _ in range(10 - n)))
    assert known() == [("*", 28, 28), *((f"https://{n}.example", 10 - n, 10 - n) for n in range(3))]
    store(*(make_event(created, origin=f"https://{n}.example") for n in (0, 9)), make_event(other))
    assert known() == [
        *(("*", 29, 29), ("https://0.example", 11, 11), ("https://1.example", 9, 9), ("https://2.example", 8, 8)),
        ("https://example.com", 1, 1),
    ]


def test_nothing_and_a_key_that_is_gone_are_passed_over(alice: Account) -> None:
    key_origins_note([], hour_at=T0)
    key_origins_note([summed(10**9, "https://a.example")], hour_at=T0)
    assert known() == []


def test_two_rollups_at_once_lose_nothing(live: None) -> None:
    key_ids = [make_key().key.pk for _ in range(2)]

    def note() -> None:
        for _ in range(20):
            key_origins_note(
                [summed(key_id, f"https://{n}.example") for key_id in key_ids for n in range(5)], hour_at=T0
            )

    at_once(note, note, note)
    assert known("n_requests") == [(60,)] * 10
