"""Sums by origin add up to the day's, and nobody can make more of them than a bound, whatever they claim to be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum

from goongdash.lib.periods import day_of
from keys.services import CreatedKey
from stats import rollups
from stats.ingest import ingest_all, ingest_shard
from stats.models import DailyOriginUsage, DailyUsage
from stats.outcomes import Outcome
from stats.rollups import rollups_rebuild
from tests.factories import T0, make_event, make_key
from tests.road import at_once, copies, push, roll_up_all, store
from tests.stats.sums import HANOI

TODAY = day_of(T0, HANOI)
LIMIT = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "utc_now", lambda: T0)
    monkeypatch.setattr(rollups, "MAX_ORIGINS", LIMIT)


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


def n_by_origin(key: CreatedKey, **filters: object) -> dict[str | None, int]:
    rows = DailyOriginUsage.objects.filter(key=key.key, **filters).values_list("origin")
    return dict(rows.annotate(n=Sum("n_requests")))


def assert_adds_up() -> None:
    of_what = ("account_id", "key_id", "service_id", "outcome", "day_on")
    totals = {"n": Sum("n_requests"), "u": Sum("units"), "cost": Sum("cost_micro_usd")}
    by_origin = DailyOriginUsage.objects.values_list(*of_what).annotate(**totals).order_by()
    assert set(by_origin) == set(DailyUsage.objects.values_list(*of_what, "n_requests", "units", "cost_micro_usd"))


def site(n: int) -> str:
    return f"https://{n:03d}.example"


def test_the_most_used_origins_have_sums_and_all_others_are_one(key: CreatedKey) -> None:
    store(*(event for n in range(1, 7) for event in copies(make_event(key, origin=site(n)), n)))

    assert n_by_origin(key) == {site(6): 6, site(5): 5, site(4): 4, None: 3 + 2 + 1}
    assert_adds_up()


def test_an_origin_that_has_a_sum_keeps_it_and_later_ones_find_no_room(key: CreatedKey) -> None:
    store(make_event(key, origin=site(1)), make_event(key, origin=site(2)))
    store(*(event for n in range(1, 6) for event in copies(make_event(key, origin=site(n)), n)))

    assert n_by_origin(key) == {site(1): 2, site(2): 3, site(5): 5, None: 3 + 4}
    store(make_event(key, origin=site(5)), make_event(key, origin=site(4)), make_event(key, origin=site(9)))
    assert n_by_origin(key) == {site(1): 2, site(2): 3, site(5): 6, None: 9}
    assert_adds_up()


def test_requests_that_name_no_origin_always_have_a_sum(key: CreatedKey) -> None:
    store(*(make_event(key, origin=site(n)) for n in range(5)))
    store(make_event(key, origin=""))

    assert n_by_origin(key)[""] == 1
    assert len(n_by_origin(key)) == LIMIT + 2


def test_each_key_and_day_has_room_of_its_own(key: CreatedKey) -> None:
    other = make_key()
    yesterday = T0 - timedelta(days=1)
    store(*(make_event(k, origin=site(n), at=at) for k in (key, other) for n in range(5) for at in (T0, yesterday)))

    for k in (key, other):
        for day in (TODAY, TODAY - timedelta(days=1)):
            assert len(n_by_origin(k, day_on=day)) == LIMIT + 1
    assert_adds_up()


def test_services_and_outcomes_of_an_origin_share_its_room(key: CreatedKey) -> None:
    store(
        *(make_event(key, "trip", origin=site(n)) for n in range(LIMIT)),
        *(make_event(key, origin=site(n), outcome=Outcome.RATE_LIMIT) for n in range(LIMIT)),
    )
    assert n_by_origin(key) == {site(n): 2 for n in range(LIMIT)}


def test_late_requests_find_the_origins_of_their_own_day(key: CreatedKey) -> None:
    yesterday = T0 - timedelta(days=1)
    store(*(make_event(key, origin=site(n), at=yesterday) for n in range(LIMIT)))
    store(make_event(key, origin=site(7)))
    store(make_event(key, origin=site(7), at=yesterday), make_event(key, origin=site(0), at=yesterday))

    assert n_by_origin(key, day_on=TODAY) == {site(7): 1}
    assert n_by_origin(key, day_on=TODAY - timedelta(days=1)) == {site(0): 2, site(1): 1, site(2): 1, None: 1}
    assert_adds_up()


def test_rebuilt_sums_are_as_many_and_add_up(key: CreatedKey) -> None:
    for n in range(6):
        store(*copies(make_event(key, origin=site(n)), n + 1))

    rollups_rebuild(first=TODAY, last=TODAY)

    assert n_by_origin(key) == {site(5): 6, site(4): 5, site(3): 4, None: 3 + 2 + 1}
    assert_adds_up()


def test_rollups_at_once_keep_the_bound(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key()
    push(*(make_event(key, origin=site(n % 40)) for n in range(200)))
    monkeypatch.setattr(rollups, "BATCH_RECORDS", 9)

    def ingest_in_small_steps() -> int:
        while ingest_shard(0, limit=7):
            pass
        return 0

    at_once(ingest_in_small_steps, roll_up_all, roll_up_all, lambda: rollups_rebuild(first=TODAY, last=TODAY))
    ingest_all()
    roll_up_all()

    assert len(n_by_origin(key)) == LIMIT + 1
    assert_adds_up()
