"""Goong's SDK on a page in Chromium against a running gate: answers in its 500 ms, refusals with their messages."""

from __future__ import annotations

from accounts.models import Plan
from tests.clients.harness import MapBrowser
from tests.clients.rest_page import browser_sdk_calls
from tests.clients.servers import PageServer
from tests.clients.usage import recorded
from tests.factories import make_account, make_key
from tests.processes import GateProcess

# Slow enough for five requests a second.
PAUSE_MS = 250


def test_every_call_is_answered_before_the_sdk_gives_up(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(restrictions=["http://shop.example.com:*"])
    origin = f"http://shop.example.com:{page_server.port}"
    calls = browser_sdk_calls(map_browser, gate.base_url, key.text, origin, pause_ms=PAUSE_MS)
    assert {name: (call.ok, call.status) for name, call in calls.items()} == dict.fromkeys(calls, (True, 200))
    assert calls["autocomplete"].body["predictions"]
    usage = recorded()
    assert set(usage) == {
        *("autocomplete", "directions", "distance-matrix", "geocode", "place-detail", "static-map"),
    }
    assert usage["geocode"][1] >= 3


def test_refused_origin_is_shown_with_its_message(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(restrictions=["http://shop.example.com:*"])
    origin = f"http://thief.test:{page_server.port}"
    calls = browser_sdk_calls(map_browser, gate.base_url, key.text, origin)
    assert len(calls) == 8
    for call in calls.values():
        assert (call.ok, call.status) == (False, 403)
        assert call.message == "This API key may not be used from this web site or IP address."
        assert call.body["code"] == "ORIGIN_NOT_ALLOWED"


def test_used_up_limit_is_shown_with_its_message(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    Plan.objects.create(slug="one", name="One", rate_limit=100, requests_per_day=1, credit_micro_usd=10**9)
    key = make_key(make_account(plan="one"))
    assert gate.get(f"/Geocode?address=Hanoi&api_key={key.text}").status_code == 200
    calls = browser_sdk_calls(map_browser, gate.base_url, key.text, page_server.base_url, only=["directions"])
    call = calls["directions"]
    assert (call.ok, call.status, call.body["code"]) == (False, 429, "DAILY_QUOTA")
    assert call.message == "The daily limit of this key, 1, is used up."
