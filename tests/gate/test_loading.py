from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from accounts.models import CreditPeriod, Plan
from billing.budgets import budget_set
from billing.ledger import credit_grant
from billing.models import Price
from billing.pricing import Tier, Tiers
from gate.loading import load_keys
from gate.snapshot import OwnLimits, ServicePrice
from goongdash.lib.clock import to_epoch_us, utc_now
from goongdash.lib.periods import day_of, day_start
from keys.limits import KeyLimits
from keys.models import Service
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import CreatedKey, key_revoke
from stats.outcomes import Outcome
from tests.factories import make_account, make_event, make_key
from tests.road import store

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction is on it."""
    monkeypatch.setattr("gate.loading.close_old_connections", lambda: None)


def used_keys() -> list[CreatedKey]:
    """Keys of different accounts and plans, two of one account, each with usage of its own."""
    now = utc_now()
    Plan.objects.create(slug="once", name="Once", rate_limit=9, credit_micro_usd=7, credit_period=CreditPeriod.ONCE)
    shared, once = make_account(), make_account(plan="once")
    keys = [make_key(shared), make_key(shared, restrictions=["example.com"]), make_key(once), make_key(type="tiles")]
    credit_grant(account=shared, amount_micro_usd=1_000, reason="", source="test")
    events = [make_event(key, at=now) for n, key in enumerate(keys[:3], 1) for _ in range(n)]
    # Covered by its session: it costs nothing and counts all the same.
    events.append(make_event(keys[2], at=now, units=0, cost_micro_usd=0))
    store(*events, make_event(keys[0], at=now, outcome=Outcome.RATE_LIMIT), make_event(keys[3], "map-load", at=now))
    return keys


def test_digests_of_no_key_cost_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert load_keys([f"{n:064x}" for n in range(64)]) == {}


def test_many_keys_are_read_as_each_alone_and_in_no_more_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    keys = used_keys()
    digests = [key.key.lookup_digest for key in keys]
    alone = {digest: load_keys([digest])[digest] for digest in digests}
    with django_assert_num_queries(13):
        together = load_keys([*digests, "f" * 64])
    assert together == alone
    used = [together[digest].used for digest in digests]
    assert [one.n_key_today for one in used] == [1, 2, 4, 1]
    assert [(one.n_requests, one.n_map_loads, one.spent_micro_usd) for one in used] == [
        (3, 0, 15_000),
        (3, 0, 15_000),
        (4, 0, 15_000),
        (0, 1, 5_000),
    ]
    assert together[digests[2]].credit.allowance_micro_usd == 7
    assert together[digests[0]].credit.allowance_micro_usd == together[digests[3]].credit.allowance_micro_usd + 1_000


def test_keys_of_one_lineage_begin_at_what_all_of_them_used(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    created, other = make_key(), make_key()
    rotation = key_rotate(key=created.key, overlap=Overlap.DAY).rotation
    now = utc_now()
    new = CreatedKey(rotation.new, "")
    store(make_event(created, at=now), make_event(new, at=now), make_event(new, at=now), make_event(other, at=now))
    digests = [key.lookup_digest for key in (created.key, rotation.new, other.key)]
    with django_assert_num_queries(13):
        read = load_keys(digests)
    found = [read[digest] for digest in digests]
    assert [one.counted_id for one in found] == [created.key.pk, created.key.pk, other.key.pk]
    assert [one.used.n_key_today for one in found] == [3, 3, 1]


def test_key_has_the_lower_of_its_own_limits_and_its_plan_s() -> None:
    """The plan's: five a second, a thousand a day."""
    limits = [KeyLimits(), KeyLimits(2, 100), KeyLimits(9, 9_000)]
    keys = [make_key(limits=each).key for each in limits]
    read = load_keys([key.lookup_digest for key in keys])
    found = [read[key.lookup_digest] for key in keys]
    assert [(one.rate_limit, one.requests_per_day) for one in found] == [(5, 1_000), (2, 100), (5, 1_000)]


def test_own_limits_are_read_with_what_the_key_has_used_of_them(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    account = make_account()
    key, other = make_key(account, limits=KeyLimits(None, None, 100, 9_000_000)), make_key(account)
    budgeted = make_key()
    budget_set(account=budgeted.key.account, amount_micro_usd=5)
    store(*(make_event(one, at=utc_now()) for one in (key, key, other, budgeted)))
    with django_assert_num_queries(13):
        read = load_keys([one.key.lookup_digest for one in (key, other, budgeted)])
    found = [read[one.key.lookup_digest] for one in (key, other, budgeted)]
    assert [one.own for one in found] == [OwnLimits(100, 9_000_000), None, OwnLimits(budget_micro_usd=5)]
    used = [(one.used.n_key_this_month, one.used.key_spent_micro_usd) for one in found]
    assert used == [(2, 10_000), (0, 0), (1, 5_000)]
    assert found[1].used.n_requests == 3


def test_price_that_volume_or_a_coming_day_changes_is_read_with_what_the_account_has_used(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    geocode, trip, place = (Service.objects.get(slug=slug) for slug in ("geocode", "trip", "place-detail"))
    today = day_of(utc_now(), settings.BILLING_ZONE)
    tiered, coming = (
        Price.objects.create(service=service, price_micro_usd=price, effective_on=day)
        for service, price, day in ((geocode, 0, today - timedelta(days=2)), (trip, 7, today + timedelta(days=3)))
    )
    Price.objects.create(service=trip, price_micro_usd=8, effective_on=today + timedelta(days=9))
    tiered.tiers.create(from_units=1_000, price_micro_usd=4_000)
    account = make_account()
    keys = [make_key(account), make_key(account), make_key()]
    store(*(make_event(key, slug, at=utc_now()) for key in keys[:2] for slug in ("geocode", "trip")))
    with django_assert_num_queries(13):
        read = load_keys([key.key.lookup_digest for key in keys])
    found = [read[key.key.lookup_digest] for key in keys]
    from_us = to_epoch_us(day_start(coming.effective_on, settings.BILLING_ZONE))
    assert found[0].tiered == {
        geocode.pk: ServicePrice(Tiers((Tier(0, 0), Tier(1_000, 4_000)))),
        trip.pk: ServicePrice(Tiers.flat(10_000), Tiers.flat(7), from_us),
    }
    assert place.pk in found[0].prices
    assert [one.used.units for one in found] == [{geocode.pk: 2}, {geocode.pk: 2}, {}]


def test_key_has_its_choice_of_services_and_without_one_none() -> None:
    geocode, trip = (Service.objects.get(slug=slug).pk for slug in ("geocode", "trip"))
    key, other = make_key(services=[geocode, trip]).key, make_key().key
    read = load_keys([key.lookup_digest, other.lookup_digest])
    assert read[key.lookup_digest].services == frozenset({geocode, trip})
    assert read[other.lookup_digest].services is None


def test_deleted_key_is_read_without_its_money(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key = make_key().key
    key_revoke(key=key)
    with django_assert_num_queries(5):  # Digest, key, restrictions, services, blocked origins.
        (snapshot,) = load_keys([key.lookup_digest]).values()
    assert snapshot.is_revoked
    assert (snapshot.key_id, snapshot.account_id) == (key.pk, key.account_id)


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2026, 11, 30, 16, 59, tzinfo=UTC), (202611, 202612)),
        # Already December in Hanoi, but not yet in a store whose clock is behind.
        (datetime(2026, 11, 30, 17, 30, tzinfo=UTC), (202611, 202612)),
        (datetime(2026, 11, 30, 18, 1, tzinfo=UTC), (202612, 202701)),
    ],
)
def test_credit_is_known_for_the_month_that_the_store_may_still_be_in(
    monkeypatch: pytest.MonkeyPatch, now: datetime, months: tuple[int, int]
) -> None:
    key = make_key().key
    monkeypatch.setattr("gate.loading.utc_now", lambda: now)
    credit = load_keys([key.lookup_digest])[key.lookup_digest].credit
    assert (credit.month, credit.next_month) == months
