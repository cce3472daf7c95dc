"""Goong's SDK for node against a running gate: every call passes, and what it shows of a refusal."""

from __future__ import annotations

from pathlib import Path

from accounts.models import Plan
from stats.ingest import ingest_all
from stats.models import UsageRecord
from tests.clients.harness import sdk_calls
from tests.factories import make_account, make_key
from tests.processes import GateProcess

# Slow enough for five requests a second.
PAUSE_MS = 250


def test_every_call_passes_the_gate_and_is_recorded(npm_clients: Path, gate: GateProcess) -> None:
    calls = sdk_calls(gate.base_url, make_key().text, pause_ms=PAUSE_MS)
    assert {name: (call.ok, call.status) for name, call in calls.items()} == dict.fromkeys(calls, (True, 200))
    ingest_all()
    services = UsageRecord.objects.order_by("at").values_list("service__slug", flat=True)
    assert sorted(services) == [
        "autocomplete",
        "directions",
        "distance-matrix",
        *["geocode"] * 3,
        "place-detail",
        "static-map",
    ]


def test_refused_origin_is_shown_with_its_message(npm_clients: Path, gate: GateProcess) -> None:
    key = make_key(restrictions=["http*://example.com/*"])
    for call in sdk_calls(gate.base_url, key.text, pause_ms=PAUSE_MS).values():
        assert (call.ok, call.status) == (False, 403)
        assert call.message == "This API key may not be used from this web site or IP address."
        assert call.body["code"] == "ORIGIN_NOT_ALLOWED"


def test_wrong_key_type_is_shown_with_the_right_one(npm_clients: Path, gate: GateProcess) -> None:
    (call,) = sdk_calls(gate.base_url, make_key(type="tiles").text, only=["directions"]).values()
    assert (call.status, call.body["code"]) == (403, "KEY_TYPE")
    assert "Use a REST API key" in str(call.message)


def test_used_up_limit_is_shown_with_its_message(npm_clients: Path, gate: GateProcess) -> None:
    Plan.objects.create(slug="one", name="One", rate_limit=100, requests_per_day=1, credit_micro_usd=10**9)
    key = make_key(make_account(plan="one"))
    first, second = sdk_calls(gate.base_url, key.text, only=["autocomplete", "directions"]).values()
    assert first.ok
    assert (second.ok, second.status, second.body["code"]) == (False, 429, "DAILY_QUOTA")
    assert second.message == "The daily limit of this key, 1, is used up."
