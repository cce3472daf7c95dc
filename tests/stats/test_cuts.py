"""Every cut adds up to what was pushed, groups beyond the largest are one, and an index serves each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from goongdash.lib.periods import day_start
from keys.models import Service
from keys.services import CreatedKey
from stats import rollups
from stats.cuts import busiest_hour, usage_cells, usage_cut, usage_totals
from stats.events import UsageEvent
from stats.outcomes import Outcome
from stats.periods import Grain
from stats.queries import OTHER, TOP_GROUPS, BusiestHour, Dimension, Measure, UsageQuery
from stats.series import Totals, totals_added
from tests.factories import T0, make_event, make_key
from tests.road import copies, store
from tests.stats.plans import no_scan_of_big_tables

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 23)
A, B = "https://a.example", "https://b.example"
# Origins and countries are known by the day.
CUTS = [
    (grain, dimension)
    for grain in Grain
    for dimension in Dimension
    if grain in (Grain.DAY, Grain.MONTH) or dimension not in (Dimension.ORIGIN, Dimension.COUNTRY)
]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "utc_now", lambda: T0)


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice)


def asked(account: Account, grain: Grain = Grain.DAY, n_days: int = 7, **options: Any) -> UsageQuery:
    """The days up to T0's, with it."""
    start = day_start(TODAY - timedelta(days=n_days - 1), HANOI)
    end = day_start(TODAY + timedelta(days=1), HANOI)
    return UsageQuery(account_id=account.pk, start=start, end=end, grain=grain, **options)


def n_by_group(query: UsageQuery) -> dict[Any, int]:
    return {group: totals.n_requests for group, totals in usage_cut(query).by_group.items()}


def service_id(slug: str) -> int:
    return Service.objects.get(slug=slug).pk


def mixed(key: CreatedKey, tiles: CreatedKey) -> list[UsageEvent]:
    return [
        *copies(make_event(key, origin=A), 4, apart=timedelta(minutes=1)),
        *copies(make_event(key, origin=B, outcome=Outcome.RATE_LIMIT), 3, apart=timedelta(hours=-9)),
        *copies(make_event(tiles, "map-load", origin=""), 2, apart=timedelta(days=-1)),
        make_event(key, service_id=0, outcome=Outcome.SERVICE_UNKNOWN, origin=A),
    ]


@pytest.mark.parametrize(("grain", "dimension"), [*CUTS, *((grain, None) for grain in Grain)])
def test_cells_of_every_cut_add_up_to_what_was_pushed(
    alice: Account, key: CreatedKey, grain: Grain, dimension: Dimension | None
) -> None:
    events = mixed(key, make_key(alice, type="tiles"))
    store(*events, make_event(make_key()))

    query = asked(alice, grain, group_by=dimension)
    cut = usage_cut(query)

    assert cut.totals == Totals(10, 6, sum(e.units for e in events), sum(e.cost_micro_usd for e in events))
    assert totals_added(cut.outcomes.values()) == cut.totals
    assert {outcome: totals.n_requests for outcome, totals in cut.outcomes.items()} == {
        Outcome.ALLOWED: 6,
        Outcome.RATE_LIMIT: 3,
        Outcome.SERVICE_UNKNOWN: 1,
    }
    assert {cell.bucket for cell in cut.cells} <= set(query.buckets(HANOI))
    assert [cell.bucket for cell in cut.cells] == sorted(cell.bucket for cell in cut.cells)


def test_groups_are_named_by_what_they_are_the_largest_first(alice: Account, key: CreatedKey) -> None:
    tiles = make_key(alice, type="tiles")
    store(*mixed(key, tiles))

    def groups(dimension: Dimension) -> list[tuple[Any, int]]:
        return list(n_by_group(asked(alice, group_by=dimension)).items())

    assert groups(Dimension.KEY) == [(key.key.pk, 8), (tiles.key.pk, 2)]
    assert groups(Dimension.TYPE) == [("rest", 8), ("tiles", 2)]
    assert groups(Dimension.SERVICE) == [(service_id("geocode"), 7), (service_id("map-load"), 2), (None, 1)]
    assert groups(Dimension.OUTCOME) == [
        (Outcome.ALLOWED, 6),
        (Outcome.RATE_LIMIT, 3),
        (Outcome.SERVICE_UNKNOWN, 1),
    ]
    assert groups(Dimension.ORIGIN) == [(A, 5), (B, 3), ("", 2)]
    assert groups(Dimension.COUNTRY) == [("", 10)]


def test_filters_hold_together(alice: Account, key: CreatedKey) -> None:
    tiles = make_key(alice, type="tiles")
    store(*mixed(key, tiles))

    def n(**filters: Any) -> int:
        return usage_cut(asked(alice, **filters)).totals.n_requests

    assert n(keys=frozenset({tiles.key.pk})) == 2
    assert n(types=frozenset({"rest"})) == 8
    assert n(services=frozenset({None})) == 1
    assert n(services=frozenset({None, service_id("map-load")})) == 3
    assert n(outcomes=frozenset({Outcome.RATE_LIMIT, Outcome.SERVICE_UNKNOWN})) == 4
    assert n(origins=frozenset({A})) == 5
    assert n(origins=frozenset({A}), outcomes=frozenset({Outcome.ALLOWED})) == 4
    assert n(origins=frozenset({A}), types=frozenset({"tiles"})) == 0
    assert n(countries=frozenset({"VN"})) == 0
    assert n(keys=frozenset({make_key().key.pk})) == 0


def test_nothing_is_no_cell_and_no_group(alice: Account) -> None:
    for dimension in (None, *Dimension):
        cut = usage_cut(asked(alice, group_by=dimension))
        assert (cut.cells, cut.groups, cut.totals) == ((), (), Totals())


def test_beyond_the_largest_groups_all_others_are_one(alice: Account) -> None:
    keys = [make_key(alice) for _ in range(TOP_GROUPS + 3)]
    store(*(event for n, key in enumerate(keys, 1) for event in copies(make_event(key), n)))

    cut = usage_cut(asked(alice, group_by=Dimension.KEY))

    assert cut.groups == (*[key.key.pk for key in reversed(keys[3:])], OTHER)
    assert cut.by_group[OTHER].n_requests == 1 + 2 + 3
    assert cut.totals.n_requests == sum(range(1, TOP_GROUPS + 4))


@pytest.mark.parametrize(("measure", "largest"), [("requests", "b"), ("refusals", "b"), ("cost", "a"), ("units", "a")])
def test_groups_are_as_large_as_the_measure_says(alice: Account, key: CreatedKey, measure: str, largest: str) -> None:
    store(
        make_event(key, origin=A, cost_micro_usd=90_000),
        *copies(make_event(key, origin=B, outcome=Outcome.DAILY_QUOTA), 2),
    )
    cut = usage_cut(asked(alice, group_by=Dimension.ORIGIN, measure=Measure(measure)))
    assert cut.groups[0] == {"a": A, "b": B}[largest]


def test_origins_without_a_row_of_their_own_are_among_the_others(
    alice: Account, key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "MAX_ORIGINS", 1)
    store(make_event(key, origin=A), *copies(make_event(key, origin=B), 2))
    assert n_by_group(asked(alice, group_by=Dimension.ORIGIN)) == {B: 2, OTHER: 1}


def test_totals_are_of_all_groups_whatever_the_grain(alice: Account) -> None:
    keys = [make_key(alice) for _ in range(TOP_GROUPS + 2)]
    store(*(make_event(each, at=T0 - timedelta(days=n % 3)) for n, each in enumerate(keys)))
    query = asked(alice, group_by=Dimension.KEY)
    assert usage_totals(query) == usage_cut(query).totals
    assert usage_totals(query).n_requests == len(keys)
    assert {cell.group for cell in usage_cells(query)} == {each.key.pk for each in keys}


def test_totals_of_nothing_are_zero(alice: Account) -> None:
    assert usage_totals(asked(alice)) == usage_totals(asked(alice, group_by=Dimension.KEY)) == Totals()


def test_a_minute_or_hour_in_part_asked_for_is_taken_whole(alice: Account, key: CreatedKey) -> None:
    second = timedelta(seconds=1)
    store(*(make_event(key, at=T0 + n * second) for n in (-1, 0, 59, 60, 3_600)))
    for grain, n in ((Grain.MINUTE, 2), (Grain.HOUR, 3)):
        query = UsageQuery(alice.pk, T0 + 5 * second, T0 + 50 * second, grain)
        assert usage_cut(query).totals.n_requests == n


def test_a_month_is_all_of_its_days_that_are_asked_for(alice: Account, key: CreatedKey) -> None:
    store(*(make_event(key, at=T0 - timedelta(days=n)) for n in (0, 22, 23, 24)))
    cut = usage_cut(asked(alice, Grain.MONTH, n_days=24))
    assert [(cell.bucket, cell.totals.n_requests) for cell in cut.cells] == [
        (date(2026, 10, 1), 1),
        (date(2026, 11, 1), 2),
    ]


def test_the_busiest_hour_is_the_one_with_the_most_requests(alice: Account, key: CreatedKey) -> None:
    assert busiest_hour(asked(alice)) is None
    store(make_event(key), *copies(make_event(key, at=T0 - timedelta(days=2)), 3), make_event(make_key()))
    assert busiest_hour(asked(alice)) == BusiestHour(T0 - timedelta(days=2), 3)
    assert busiest_hour(asked(alice, origins=frozenset({A}))) is None


@pytest.mark.parametrize(("grain", "dimension"), CUTS)
def test_a_cut_is_one_query_that_an_index_serves(
    alice: Account,
    key: CreatedKey,
    grain: Grain,
    dimension: Dimension,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    store(*mixed(key, make_key(alice, type="tiles")))
    query = asked(alice, grain, group_by=dimension, keys=frozenset({key.key.pk}))
    with no_scan_of_big_tables(), django_assert_num_queries(1):
        usage_cut(query)
    with no_scan_of_big_tables(), django_assert_num_queries(1):
        busiest_hour(asked(alice))
