"""A key's past requests are read as a list is asked about them, in one bounded query."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from keys.restrictions import Restrictions
from keys.services import CreatedKey
from stats.outcomes import Outcome
from stats.restriction_replay import Seen, replay
from stats.seen_requests import TooManyRecords, addresses_refused, seen_requests
from tests.factories import T0, make_event, make_key
from tests.road import copies, store

pytestmark = pytest.mark.django_db
SINCE = T0 - timedelta(days=7)
SITES = Restrictions.of(["example.com"])


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice)


def test_requests_that_the_list_decides_about_are_counted_and_no_others(key: CreatedKey) -> None:
    refused = Outcome.ORIGIN_NOT_ALLOWED
    store(
        *copies(make_event(key), 3, apart=timedelta(minutes=1)),
        make_event(key, outcome=refused, at=T0 + timedelta(hours=1)),
        make_event(key, outcome=refused, origin="https://evil.example.org"),
        make_event(key, at=SINCE),
        make_event(key, at=SINCE - timedelta(microseconds=1)),
        make_event(make_key(key.key.account)),
        make_event(make_key()),
        *(make_event(key, outcome=one) for one in Outcome if one not in (Outcome.ALLOWED, refused)),
    )
    seen = seen_requests(key=key.key, since=SINCE, restrictions=SITES)
    assert seen.kinds == [
        Seen("https://example.com", "", "", 5, 1, T0 + timedelta(hours=1)),
        Seen("https://evil.example.org", "", "", 1, 1, T0),
    ]
    assert (seen.n, seen.n_left_out) == (6, 0)


@pytest.mark.parametrize(
    ("entries", "kinds"),
    [
        (["example.com"], {("https://example.com", "", 4), ("", "", 2)}),
        (
            ["example.com/shop"],
            {("https://example.com", "/a", 1), ("https://example.com", "", 3), ("", "", 2)},
        ),
        (
            ["192.0.2.0/24"],
            {("https://example.com", "", 3), ("https://example.com", "", 1), ("", "", 2)},
        ),
    ],
)
def test_only_what_the_list_looks_at_is_told_apart(
    key: CreatedKey, entries: list[str], kinds: set[tuple[str, str, int]]
) -> None:
    store(
        make_event(key, ip="192.0.2.1", page_path="/a"),
        make_event(key, ip="192.0.2.2"),
        make_event(key, ip="192.0.2.255"),
        make_event(key, ip="192.0.3.0"),
        make_event(key, ip="192.0.2.1", origin=""),
        make_event(key, ip="192.0.2.2", origin=""),
    )
    seen = seen_requests(key=key.key, since=SINCE, restrictions=Restrictions.of(entries))
    assert {(kind.origin, kind.path, kind.n) for kind in seen.kinds} == kinds
    assert seen.n == 6


RANGES = ["10.0.0.0/8", "10.1.0.0/16", "203.0.113.7", "0.0.0.0/1", "2001:db8::/32", "::1", "::/0", "::ffff:0:0/96"]
ADDRESSES = ["10.1.2.3", "9.255.255.255", "203.0.113.7", "203.0.113.8", "128.0.0.0", "2001:db8::7", "::1", "fe80::1"]


@pytest.mark.parametrize("ranges", [*([one] for one in RANGES), ["10.0.0.0/9", "10.128.0.0/9", "::1"]])
def test_each_address_stands_for_those_that_the_gate_treats_as_it(key: CreatedKey, ranges: list[str]) -> None:
    """The database sorts addresses into those inside and outside; the gate's own ranges must see them so."""
    store(*(make_event(key, ip=ip, origin=f"https://{n}.example.net") for n, ip in enumerate(ADDRESSES)))
    store(*(make_event(key, ip=ip) for ip in ADDRESSES))
    restrictions = Restrictions.of(ranges)
    kinds = seen_requests(key=key.key, since=SINCE, restrictions=restrictions).kinds
    inside = {ip for ip in ADDRESSES if restrictions.allow(None, ip_address(ip))}
    together = [kind for kind in kinds if kind.origin == "https://example.com"]
    assert {(kind.ip in inside, kind.n) for kind in together} == {
        one for one in ((True, len(inside)), (False, len(ADDRESSES) - len(inside))) if one[1]
    }
    assert replay(kinds, restrictions).n_hit == 2 * (len(ADDRESSES) - len(inside))


def test_addresses_that_named_no_origin_come_most_frequent_first(key: CreatedKey) -> None:
    for n, ip in ((2, "192.0.2.1"), (3, "192.0.2.2"), (1, "192.0.2.3"), (9, "203.0.113.7")):
        store(*copies(make_event(key, ip=ip, origin=""), n))
    store(make_event(key, ip="192.0.2.9"))
    listed = Restrictions.of(["example.com", "203.0.113.0/24"])
    found = addresses_refused(key=key.key, since=SINCE, restrictions=listed, limit=2)
    assert [(source.ip, source.n_hit) for source in found] == [("192.0.2.2", 3), ("192.0.2.1", 2)]


def test_rarest_kinds_beyond_the_bound_are_left_out_and_counted(
    key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stats.seen_requests.MAX_KINDS", 2)
    for n, name in ((3, "a"), (1, "b"), (2, "c"), (1, "d")):
        store(*copies(make_event(key, origin=f"https://{name}.example.com"), n))
    seen = seen_requests(key=key.key, since=SINCE, restrictions=SITES)
    assert [(kind.origin, kind.n) for kind in seen.kinds] == [
        ("https://a.example.com", 3),
        ("https://c.example.com", 2),
    ]
    assert (seen.n, seen.n_left_out) == (7, 2)


def test_key_without_requests_has_seen_nothing(key: CreatedKey) -> None:
    seen = seen_requests(key=key.key, since=SINCE, restrictions=SITES)
    assert (seen.kinds, seen.n, seen.n_left_out) == ([], 0, 0)


def test_it_takes_one_query_for_any_history(key: CreatedKey, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store(*(make_event(key, at=T0 - timedelta(days=day), origin=f"https://{day}.example.com") for day in range(6)))
    with django_assert_num_queries(4):  # A savepoint, its bounds, the records, the savepoint's end.
        assert len(seen_requests(key=key.key, since=SINCE, restrictions=SITES).kinds) == 6


def test_what_takes_too_long_is_given_up_and_nothing_else_is_cut_short(
    key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stats.seen_requests.TIMEOUT", timedelta(milliseconds=20))
    monkeypatch.setattr("stats.seen_requests._KINDS", "SELECT pg_sleep(5)")
    with pytest.raises(TooManyRecords):
        seen_requests(key=key.key, since=SINCE, restrictions=SITES)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
