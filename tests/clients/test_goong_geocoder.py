"""Goong's geocoder in Chromium against a running gate: a place found and chosen, and what it shows of a refusal."""

from __future__ import annotations

from accounts.models import Plan
from tests.clients.harness import MapBrowser
from tests.clients.rest_page import search_and_choose
from tests.clients.servers import PageServer
from tests.clients.usage import recorded
from tests.factories import make_account, make_key
from tests.processes import GateProcess

ALLOWED = ["http://shop.example.com:*"]


def test_place_is_offered_and_chosen_with_an_allowed_origin(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(restrictions=ALLOWED)
    visit = search_and_choose(map_browser, gate.base_url, key.text, f"http://shop.example.com:{page_server.port}")
    assert visit.errors == []
    assert visit.suggestions
    assert visit.result is not None
    assert visit.result["result"]["formatted_address"].startswith(visit.suggestions[0])
    usage = recorded()
    assert set(usage) == {"autocomplete", "place-detail"}
    assert all(n_requests == units >= 1 for n_requests, units in usage.values())


def test_forbidden_origin_is_shown_as_an_error(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(restrictions=ALLOWED)
    visit = search_and_choose(map_browser, gate.base_url, key.text, f"http://thief.test:{page_server.port}")
    assert {error.status for error in visit.errors} == {403}
    assert visit.errors[0].message == "This API key may not be used from this web site or IP address."
    assert "There was an error reaching the server" in visit.shown
    assert (visit.suggestions, visit.result) == ([], None)
    assert {service: units for service, (_, units) in recorded().items()} == {"autocomplete": 0}


def test_used_up_limit_is_shown_as_an_error(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    Plan.objects.create(slug="one", name="One", rate_limit=100, requests_per_day=1, credit_micro_usd=10**9)
    key = make_key(make_account(plan="one"))
    assert gate.get(f"/Geocode?address=Hanoi&api_key={key.text}").status_code == 200
    visit = search_and_choose(map_browser, gate.base_url, key.text, page_server.base_url)
    assert {error.status for error in visit.errors} == {429}
    assert visit.errors[0].message == "The daily limit of this key, 1, is used up."
    assert "There was an error reaching the server" in visit.shown
