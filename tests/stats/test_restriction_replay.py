"""What a list would have made of recorded requests is what the gate and the tester say of such requests."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from ipaddress import ip_address

import pytest

from gate.decide import Ruling, ruling
from gate.snapshot import ServiceFacts
from keys.entries import entries_read
from keys.explain import explain
from keys.origins import origin_text, request_origin
from keys.restrictions import Restrictions
from stats.events import decode_entry, encode_line, encode_origin, encode_request, join_request
from stats.outcomes import Outcome
from stats.restriction_replay import Seen, Source, origin_of, replay
from tests.factories import T0
from tests.gate.snapshots import SNAPSHOT
from tests.keys.pattern_cases import CASES
from tests.stats.test_events import EVENT, wire

GEOCODE = ServiceFacts(6, "geocode", "Geocode v1", "rest", "request", "/geocode")
IP = ip_address("203.0.113.7")


def seen(origin: str = "https://example.com", path: str = "", ip: str = "", n: int = 1, n_refused: int = 0) -> Seen:
    return Seen(origin, path, ip, n, n_refused, T0)


def as_recorded(referer: str) -> Seen:
    """A request with that header, as the gate writes it down and ingest reads it."""
    origin = request_origin(referer, None)
    page = b"" if origin is None else encode_origin(origin_text(origin), origin.path)
    head = encode_request(account_id=1, key_id=2, service_id=3, units=1, price_micro_usd=5_000)
    line = encode_line(
        Outcome.ALLOWED, join_request(head, b"203.0.113.7", page, EVENT.request_id.encode()), is_charged=True
    )
    (event,) = decode_entry({**wire(EVENT), b"e": line}).events
    return seen(event.origin, event.page_path, event.ip)


@pytest.mark.parametrize(("pattern", "url", "reason"), CASES)
def test_gate_tester_and_replay_give_the_same_answer(pattern: str, url: str, reason: str) -> None:
    is_allowed = not reason
    restrictions, origin = Restrictions.of([pattern]), request_origin(url, None)

    ruled = ruling(changed(SNAPSHOT, restrictions=restrictions), GEOCODE, origin, IP, 0)
    assert ruled == Ruling(None if is_allowed else Outcome.ORIGIN_NOT_ALLOWED)
    entries = [entry.parsed for entry in entries_read([pattern]) if entry.parsed is not None]
    assert explain(entries, origin=origin, ip=IP).is_allowed is is_allowed
    found = replay([as_recorded(url)], restrictions)
    assert (found.n, found.n_hit) == (1, 0 if is_allowed else 1)


@pytest.mark.parametrize("url", sorted({url for _, url, _ in CASES}))
def test_record_reads_back_as_the_origin_that_the_gate_saw(url: str) -> None:
    kept = as_recorded(url)
    assert origin_of(kept.origin, kept.path) == request_origin(url, None)


def test_requests_are_told_apart_by_origin_and_worst_comes_first() -> None:
    found = replay(
        [
            seen(n=70),
            seen("https://evil.example.org", n=3, n_refused=3),
            seen("https://shop.example.com", "/a", n=10),
            seen("https://shop.example.com", "/b", n=10, n_refused=1),
            seen("http://localhost:3000", n=2),
        ],
        Restrictions.of(["example.com", "localhost:3000"]),
    )
    assert (found.n, found.n_hit, found.n_named_none) == (95, 23, 0)
    assert [(source.origin, source.n_hit, source.n_refused) for source in found.hit] == [
        ("https://shop.example.com", 20, 1),
        ("https://evil.example.org", 3, 3),
    ]
    assert [(source.origin, source.n) for source in found.passing] == [
        ("https://example.com", 70),
        ("http://localhost:3000", 2),
    ]


def test_requests_that_named_no_origin_are_one_source() -> None:
    none = [seen("", ip="203.0.113.7", n=5), seen("", ip="198.51.100.1", n=2)]
    found = replay([seen(), *none], Restrictions.of(["example.com"]))
    assert (found.n_hit, found.n_named_none) == (7, 7)
    assert [(source.origin, source.n_hit, source.offer) for source in found.hit] == [("", 7, None)]
    assert replay(none, Restrictions.of(["example.com"], allows_no_origin=True)).n_hit == 0
    assert replay(none, Restrictions.of(["203.0.113.0/24"])).n_hit == 2
    assert replay(none, Restrictions()).n_hit == 0


def test_blocked_origin_is_refused_by_any_list_and_no_entry_is_offered_for_it() -> None:
    for entries in ([], ["evil.example.org"]):
        restrictions = Restrictions.of(entries, blocked=["evil.example.org"])
        (source,) = replay([seen("https://evil.example.org")], restrictions).hit
        assert (source.n_hit, source.is_blocked, source.offer) == (1, True, None)


def test_site_that_passes_from_some_addresses_only_is_one_source() -> None:
    (source,) = replay([seen(ip="203.0.113.7", n=4), seen(ip="198.51.100.1")], Restrictions.of(["203.0.113.7"])).hit
    assert (source.n, source.n_hit) == (5, 1)


def test_newest_request_of_a_source_is_told() -> None:
    later = changed(seen(path="/a"), last_at=T0 + timedelta(hours=1))
    (source,) = replay([seen(), later, seen(path="/b")], Restrictions()).passing
    assert source.last_at == T0 + timedelta(hours=1)


@pytest.mark.parametrize(
    ("origin", "ip", "entry"),
    [
        ("https://shop.example.com", "", "https://shop.example.com/*"),
        ("http://localhost:3000", "", "http://localhost:3000/*"),
        ("https://[2001:db8::1]:8443", "", "https://[2001:db8::1]:8443/*"),
        ("capacitor://localhost", "", "capacitor://localhost/*"),
        ("", "203.0.113.7", "203.0.113.7"),
        ("", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_offered_entry_lets_the_source_pass(origin: str, ip: str, entry: str) -> None:
    asked = [seen(origin, path, ip, n=3) for path in ("", "/deep/er")]
    source = Source(origin, ip, 6, 6)
    assert source.offer is not None
    assert source.offer.text == entry
    assert source.offer.coverage.covered
    assert replay(asked, Restrictions.of(["other.example.net", entry])).n_hit == 0
