from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from gate.decide import refusal
from gate.snapshot import ServiceFacts
from keys.origins import parse_url
from keys.restrictions import Restrictions
from stats.outcomes import Outcome
from tests.gate.snapshots import SNAPSHOT

GEOCODE = ServiceFacts(6, "geocode", "Geocode v1", "rest", "request", "/geocode")
MAP_LOAD = ServiceFacts(15, "map-load", "Map load", "tiles", "map_load", "/assets/*.json")
TILE = ServiceFacts(17, "tiles", "Tiles", "tiles", "none", "/tiles/*")
LISTED = Restrictions.of(["example.com"])
IP = ip_address("203.0.113.7")
NOW_US = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("changes", "service", "origin", "outcome"),
    [
        ({}, GEOCODE, None, None),
        ({"is_revoked": True, "is_disabled": True}, GEOCODE, None, Outcome.KEY_REVOKED),
        ({"is_disabled": True}, MAP_LOAD, None, Outcome.KEY_DISABLED),
        ({"expires_at_us": NOW_US}, GEOCODE, None, Outcome.KEY_EXPIRED),
        ({"expires_at_us": NOW_US + 1}, GEOCODE, None, None),
        ({"is_revoked": True}, None, None, Outcome.KEY_REVOKED),
        ({}, None, None, Outcome.SERVICE_UNKNOWN),
        ({}, MAP_LOAD, None, Outcome.KEY_TYPE),
        ({"type": "tiles"}, GEOCODE, None, Outcome.KEY_TYPE),
        ({"services": frozenset({7})}, MAP_LOAD, None, Outcome.KEY_TYPE),
        ({"services": frozenset({7})}, None, None, Outcome.SERVICE_UNKNOWN),
        ({"services": frozenset({7})}, GEOCODE, None, Outcome.SERVICE_NOT_ALLOWED),
        ({"services": frozenset({6, 7})}, GEOCODE, None, None),
        ({"services": frozenset({7}), "restrictions": LISTED}, GEOCODE, None, Outcome.SERVICE_NOT_ALLOWED),
        ({"services": frozenset({6}), "restrictions": LISTED}, GEOCODE, None, Outcome.ORIGIN_NOT_ALLOWED),
        ({"type": "tiles", "services": frozenset({15})}, TILE, None, None),
        ({"type": "tiles", "services": frozenset({99})}, MAP_LOAD, None, Outcome.SERVICE_NOT_ALLOWED),
        ({"restrictions": LISTED}, MAP_LOAD, None, Outcome.KEY_TYPE),
        ({"restrictions": LISTED}, GEOCODE, None, Outcome.ORIGIN_NOT_ALLOWED),
        ({"restrictions": LISTED}, GEOCODE, "https://example.com/", None),
        ({"restrictions": Restrictions.of(["203.0.113.0/24"])}, GEOCODE, None, None),
    ],
)
def test_first_reason_that_holds_is_the_outcome(
    changes: dict[str, Any], service: ServiceFacts | None, origin: str | None, outcome: Outcome | None
) -> None:
    key = replace(SNAPSHOT, **changes)
    assert refusal(key, service, None if origin is None else parse_url(origin), IP, NOW_US) is outcome
