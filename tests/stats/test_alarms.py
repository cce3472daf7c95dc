"""Leaks replayed: what is told, what is done, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest
from django.core.mail import EmailMessage
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account, AuditEntry, Notice
from accounts.tasks import mail_notices
from gate import loading
from gate.decide import refusal
from gate.loading import load_catalogue, load_keys
from gate.snapshot import KeySnapshot
from goongdash.lib.clock import to_epoch_us
from keys import guarding
from keys.guarding import key_block_origin, key_lift
from keys.models import KeyOrigin
from keys.origins import parse_url
from keys.services import CreatedKey, key_revoke
from stats import alarms, origin_sums, rollups
from stats.outcomes import Outcome
from stats.spikes import Thresholds
from stats.tasks import watch_usage
from tests.factories import T0, make_event, make_key
from tests.road import copies, store

OWN, EVIL = "https://shop.example", "https://evil.example"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

SetClock = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    def set_clock(now: datetime) -> None:
        for module in (alarms, rollups, origin_sums, guarding, loading):
            monkeypatch.setattr(module, "utc_now", lambda: now)

    # A test's connection must not be closed.
    monkeypatch.setattr(loading, "close_old_connections", lambda: None)
    set_clock(T0)
    return set_clock


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="Shop")


def week(key: CreatedKey, set_clock: SetClock, n_an_hour: int = 10, growth: float = 1.0) -> None:
    """Seven days of use from the key's own site, four hours a day, as the schedule sees them."""
    for day in range(7, 0, -1):
        n = int(n_an_hour * growth ** (7 - day))
        for hour in range(4):
            at = T0 - day * DAY + hour * HOUR
            set_clock(at)
            store(*copies(make_event(key, at=at, origin=OWN), n))
        watch_usage()
    set_clock(T0)
    assert told() == []


def leak(key: CreatedKey, n: int = 500, at: datetime = T0) -> None:
    store(*copies(make_event(key, at=at, origin=EVIL), n), *copies(make_event(key, at=at, origin=OWN), 10))


def told() -> list[str]:
    return list(Notice.objects.order_by("id").values_list("kind", flat=True))


def snapshot_of(key: CreatedKey) -> KeySnapshot:
    return load_keys([key.key.lookup_digest])[key.key.lookup_digest]


def gate_s_answer(key: CreatedKey, origin: str) -> Outcome | None:
    service = load_catalogue().by_path["/geocode"]
    return refusal(snapshot_of(key), service, parse_url(origin), ip_address("203.0.113.7"), to_epoch_us(T0))


def test_leak_is_told_of_once_with_what_is_behind_it(
    key: CreatedKey, clock: SetClock, mailoutbox: list[EmailMessage]
) -> None:
    week(key, clock)
    mailoutbox.clear()
    leak(key)
    assert (watch_usage(), watch_usage()) == (1, 0)
    leak(key, at=T0 + timedelta(minutes=1))
    assert watch_usage() == 0
    assert (mail_notices(), mail_notices()) == (1, 0)
    (mail,) = mailoutbox
    assert "“Shop” is used far more than usual" in mail.subject
    assert "510 requests in the last hour; 10 are usual." in mail.body
    assert "Most of them came from https://evil.example." in mail.body
    notice = Notice.objects.get()
    assert (notice.kind, notice.facts["origin"], notice.permission) == ("key_spike", EVIL, "SEE")
    assert gate_s_answer(key, EVIL) is None


def test_blocked_origin_is_refused_by_the_gate_and_no_other(key: CreatedKey, clock: SetClock) -> None:
    week(key, clock)
    leak(key)
    watch_usage()
    assert key_block_origin(key=key.key, origin=str(Notice.objects.get().facts["origin"]))
    assert gate_s_answer(key, EVIL) is Outcome.ORIGIN_NOT_ALLOWED
    assert gate_s_answer(key, "http://evil.example:8080/page") is Outcome.ORIGIN_NOT_ALLOWED
    assert gate_s_answer(key, OWN) is None


def test_key_is_cut_to_a_small_quota_where_it_says_so_until_the_day_ends(key: CreatedKey, clock: SetClock) -> None:
    key.key.on_spike = "quota"
    key.key.save()
    week(key, clock)
    leak(key)
    assert watch_usage() == 1
    assert told() == ["key_spike_quota"]
    assert snapshot_of(key).requests_per_day == 510 + 100
    entry = AuditEntry.objects.get(action="key.spike_cut")
    assert (entry.actor_kind, entry.changes) == ("system", {"requests that day": [None, 610]})
    clock(T0 + DAY)
    assert snapshot_of(key).requests_per_day == 1_000
    assert not key_lift(key=key.key)


def test_key_is_disabled_where_it_says_so_until_that_is_lifted(key: CreatedKey, clock: SetClock) -> None:
    key.key.on_spike = "disable"
    key.key.save()
    week(key, clock)
    leak(key)
    assert watch_usage() == 1
    assert told() == ["key_spike_disabled"]
    assert gate_s_answer(key, OWN) is Outcome.KEY_DISABLED
    key.key.refresh_from_db()
    assert key.key.is_disabled_by_spike
    assert (key_lift(key=key.key), key_lift(key=key.key)) == (True, False)
    assert gate_s_answer(key, OWN) is None
    assert watch_usage() == 0
    assert gate_s_answer(key, OWN) is None


def test_new_origin_of_little_use_is_told_of_once(key: CreatedKey, clock: SetClock) -> None:
    week(key, clock)
    leak(key, n=19)
    assert watch_usage() == 0
    leak(key, n=1)
    assert (watch_usage(), watch_usage()) == (1, 0)
    assert told() == ["origin_first_seen"]
    assert Notice.objects.get().facts == {"key": "Shop", "key_id": key.key.pk, "origin": EVIL, "n_requests": 20}


def test_origin_long_known_that_suddenly_makes_up_much_of_the_use(key: CreatedKey, clock: SetClock) -> None:
    store(*copies(make_event(key, at=T0 - 7 * DAY, origin=EVIL), 20))
    week(key, clock, n_an_hour=30)
    leak(key, n=120)
    assert (watch_usage(), watch_usage()) == (1, 0)
    assert told() == ["origin_spike"]
    assert Notice.objects.get().facts["percent"] == 92


def test_steady_use_and_natural_growth_are_not_told_of(key: CreatedKey, clock: SetClock) -> None:
    week(key, clock, n_an_hour=40, growth=1.3)
    store(*copies(make_event(key, at=T0, origin=OWN), 400))
    assert watch_usage() == 0


def test_new_key_is_not_told_of_whatever_it_does(key: CreatedKey, clock: SetClock) -> None:
    leak(key, n=2_000)
    assert watch_usage() == 0
    clock(T0 + 25 * HOUR)
    leak(key, n=2_000, at=T0 + 25 * HOUR)
    assert watch_usage() == 0
    assert told() == []


def test_deleted_key_is_not_looked_at(key: CreatedKey, clock: SetClock) -> None:
    week(key, clock)
    leak(key)
    key_revoke(key=key.key)
    assert watch_usage() == 0


def test_origin_told_of_is_remembered(key: CreatedKey, clock: SetClock) -> None:
    week(key, clock)
    leak(key)
    watch_usage()
    assert list(KeyOrigin.objects.order_by("origin").values_list("origin", "told_at", "weighed_at")) == [
        (EVIL, T0, T0),
        (OWN, None, T0 - 7 * DAY + 3 * HOUR),
    ]


def test_busy_keys_cost_no_queries_each(
    alice: Account, clock: SetClock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n_keys in (1, 6):
        for _ in range(n_keys):
            leak(make_key(alice), n=300)
        watch_usage()
        with django_assert_num_queries(7):  # Busy keys, fresh origins; keys; totals, told, origins; busiest hours.
            watch_usage()


def test_thresholds_are_settings(settings: Settings) -> None:
    assert alarms.thresholds() == Thresholds()
    settings.KEY_SPIKE_FACTOR = 9
    assert alarms.thresholds().key_factor == 9
