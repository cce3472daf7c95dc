"""Where a key's requests came from: the most frequent origins, and which of them the key's list keeps out."""

from __future__ import annotations

from datetime import date, timedelta

from accounts.models import Account
from stats.origins import N_SHOWN, OriginLine, top_origins
from stats.outcomes import Outcome
from tests.factories import T0, make_event, make_key
from tests.road import copies, store
from tests.stats.plans import no_scan_of_big_tables

SHOP, THIEF = "https://shop.example.com", "http://thief.example.net:8080"
MONDAY = date(2026, 11, 23)


def test_origins_are_counted_over_the_days_of_the_chart(alice: Account) -> None:
    created = make_key(alice, restrictions=["shop.example.com"])
    store(
        *copies(make_event(created, origin=SHOP, at=T0 - timedelta(days=6)), 3),
        make_event(created, origin=SHOP, at=T0, outcome=Outcome.RATE_LIMIT),
        *copies(make_event(created, origin=THIEF, outcome=Outcome.ORIGIN_NOT_ALLOWED), 2),
        *copies(make_event(created, origin=""), 2),
        make_event(created, origin="https://old.example.com", at=T0 - timedelta(days=7)),
        make_event(make_key(alice), origin="https://other-key.example.com"),
    )
    with no_scan_of_big_tables():
        origins = top_origins(created.key, now=T0)
    assert origins.n_others == 0
    assert origins.lines == [
        OriginLine(SHOP, 4, 1, 50.0, MONDAY - timedelta(days=6), MONDAY),
        OriginLine("", 2, 0, 25.0, MONDAY, MONDAY),
        OriginLine(THIEF, 2, 2, 25.0, MONDAY, MONDAY, to_allow=f"{THIEF}/*"),
    ]


def test_what_is_not_shown_is_counted(alice: Account) -> None:
    created = make_key(alice)
    store(*(make_event(created, origin=f"https://s{n}.example.com") for n in range(60)))
    origins = top_origins(created.key, now=T0)
    assert len(origins.lines) == N_SHOWN
    assert origins.n_others == 60 - N_SHOWN


def test_what_a_list_lets_pass_by_now_is_not_offered_again(alice: Account) -> None:
    refused = {"origin": SHOP, "outcome": Outcome.ORIGIN_NOT_ALLOWED}
    for restrictions in (["*.example.com"], []):
        created = make_key(alice, restrictions=restrictions)
        store(make_event(created, **refused))
        assert [line.to_allow for line in top_origins(created.key, now=T0).lines] == [""]
    created = make_key(alice, restrictions=["203.0.113.7"])
    store(make_event(created, **refused))
    assert [line.to_allow for line in top_origins(created.key, now=T0).lines] == [f"{SHOP}/*"]


def test_unused_key_has_no_origins(alice: Account) -> None:
    assert top_origins(make_key(alice).key, now=T0).lines == []
