"""A list for report only cuts nobody off, and says of each request what it would have done."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import httpx
import pytest

from gate.decide import Ruling, ruling
from gate.snapshot import ServiceFacts
from keys.models import RestrictionsMode
from keys.origins import parse_url
from keys.restrictions import Restrictions
from keys.services import key_update
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from tests.factories import make_key
from tests.gate.snapshots import SNAPSHOT
from tests.gate.test_outcomes import ask, wait_for_announcement
from tests.processes import GateProcess
from tests.road import at_once

GEOCODE = ServiceFacts(6, "geocode", "Geocode v1", "rest", "request", "/geocode")
REPORTING = replace(SNAPSHOT, restrictions=Restrictions.of(["example.com"]), is_report_only=True)
BLOCKING = Restrictions.of(["example.com"], blocked=["evil.example.org"])
HEADER = "Goongdash-Would-Refuse"
FOREIGN, OWN = {"Origin": "https://evil.example.org"}, {"Origin": "https://example.com"}


@pytest.mark.parametrize(
    ("changes", "origin", "expected"),
    [
        ({}, "https://evil.example.org/", Ruling(None, would_refuse=True)),
        ({}, "https://example.com/", Ruling(None)),
        ({"restrictions": Restrictions()}, "https://evil.example.org/", Ruling(None)),
        ({"is_report_only": False}, "https://evil.example.org/", Ruling(Outcome.ORIGIN_NOT_ALLOWED)),
        ({"restrictions": BLOCKING}, "https://evil.example.org/", Ruling(Outcome.ORIGIN_NOT_ALLOWED)),
        ({"restrictions": BLOCKING}, "https://other.example.org/", Ruling(None, would_refuse=True)),
        ({"is_revoked": True}, "https://evil.example.org/", Ruling(Outcome.KEY_REVOKED)),
        ({"services": frozenset({7})}, "https://evil.example.org/", Ruling(Outcome.SERVICE_NOT_ALLOWED)),
    ],
)
def test_only_the_list_itself_is_reported(changes: dict[str, object], origin: str, expected: Ruling) -> None:
    key = replace(REPORTING, **changes)  # type: ignore[arg-type]
    assert ruling(key, GEOCODE, parse_url(origin), ip_address("203.0.113.7"), 0) == expected


def recorded() -> list[tuple[str, int, int, bool]]:
    ingest_all()
    fields = ("outcome", "units", "cost_micro_usd", "would_refuse")
    labels = {facts.number: outcome.value for outcome, facts in OUTCOMES.items()}
    return [(labels[row[0]], *row[1:]) for row in UsageRecord.objects.order_by("id").values_list(*fields)]


@pytest.mark.parametrize("mode", ["direct", "nginx", "traefik"])
def test_what_the_list_would_refuse_passes_is_counted_and_says_so(gate: GateProcess, mode: str) -> None:
    key = make_key(restrictions=["example.com"], restrictions_mode="report_only")
    uri = f"/Geocode?address=x&api_key={key.text}"
    foreign, own, again = (ask(gate, mode, uri, **headers) for headers in (FOREIGN, OWN, FOREIGN))
    assert [answer.status_code for answer in (foreign, own, again)] == [200, 200, 200]
    assert [answer.headers.get(HEADER) for answer in (foreign, own, again)] == [
        *("ORIGIN_NOT_ALLOWED", None, "ORIGIN_NOT_ALLOWED"),
    ]
    assert HEADER in foreign.headers["Access-Control-Expose-Headers"]
    assert again.headers["RateLimit"].startswith('"rate";r=2;t=')  # Both count.
    assert recorded() == [("allowed", 1, 5_000, True), ("allowed", 1, 5_000, False), ("allowed", 1, 5_000, True)]


def test_limits_refuse_as_ever_and_the_refusal_says_it_too(gate: GateProcess) -> None:
    key = make_key(restrictions=["example.com"], restrictions_mode="report_only")
    uri = f"/Geocode?address=x&api_key={key.text}"
    answers: list[httpx.Response] = at_once(*[lambda: gate.get(uri, headers=FOREIGN) for _ in range(12)])
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.headers[HEADER] for answer in answers} == {"ORIGIN_NOT_ALLOWED"}
    assert sorted(recorded()) == [
        *[("allowed", 1, 5_000, True)] * (12 - len(refused)),
        *[("rate_limit", 0, 0, True)] * len(refused),
    ]


def test_switch_holds_on_the_next_request_both_ways(gate: GateProcess) -> None:
    key = make_key(restrictions=["example.com"])
    uri = f"/Geocode?address=x&api_key={key.text}"
    statuses = [gate.get(uri, headers=FOREIGN).status_code]
    for mode in (RestrictionsMode.REPORT_ONLY, RestrictionsMode.ENFORCED):
        key.key.refresh_from_db()
        key_update(
            key=key.key,
            version=key.key.version,
            name=key.key.name,
            description="",
            restrictions=["example.com"],
            restrictions_mode=mode,
            allows_no_origin=False,
            services=[],
            limits=key.key.limits,
            expires_at=None,
        )
        wait_for_announcement()
        statuses.append(gate.get(uri, headers=FOREIGN).status_code)
    assert statuses == [403, 200, 403]


def test_path_of_the_page_is_recorded_where_the_caller_sends_it(gate: GateProcess) -> None:
    key = make_key()
    for referer in ("https://example.com/shop/1?q=secret", "https://example.com/"):
        gate.get(f"/Geocode?address=x&api_key={key.text}", headers={"Referer": referer})
    ingest_all()
    rows = UsageRecord.objects.order_by("id").values_list("origin", "page_path")
    assert list(rows) == [("https://example.com", "/shop/1"), ("https://example.com", "")]
