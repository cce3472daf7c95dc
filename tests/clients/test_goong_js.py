"""A map by goong-js in Chromium against a running gate: drawn, one map load; or refused, with one error."""

from __future__ import annotations

from accounts.models import Plan
from tests.clients.harness import MapBrowser, open_map
from tests.clients.servers import PageServer
from tests.clients.usage import recorded
from tests.factories import make_account, make_key
from tests.processes import GateProcess


def test_map_with_a_tiles_key_and_an_allowed_origin_is_drawn_as_one_map_load(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(type="tiles", restrictions=["http://shop.example.com:*"])
    visit = open_map(map_browser, gate.base_url, key.text, f"http://shop.example.com:{page_server.port}")
    assert visit.loaded and visit.idle
    assert visit.errors == []
    assert {request.status for request in visit.requests} == {200}
    assert sum(visit.rendered.values()) > 20
    usage = recorded()
    assert usage["map-load"] == (1, 1)
    assert sum(units for _, units in usage.values()) == 1
    assert sum(n for n, _ in usage.values()) == len(visit.requests)


def test_map_on_a_forbidden_origin_shows_one_error_and_no_map(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(type="tiles", restrictions=["http://shop.example.com:*"])
    visit = open_map(map_browser, gate.base_url, key.text, f"http://thief.test:{page_server.port}")
    assert not visit.loaded
    (error,) = visit.errors
    assert error.status == 403
    assert [(request.path, request.status) for request in visit.requests] == [("/assets/goong_map_web.json", 403)]
    assert recorded() == {"map-load": (1, 0)}


def test_map_over_the_plans_map_loads_shows_one_error_and_no_map(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    Plan.objects.create(slug="one", name="One", rate_limit=100, map_loads_per_month=1, credit_micro_usd=10**9)
    key = make_key(make_account(plan="one"), type="tiles")
    assert open_map(map_browser, gate.base_url, key.text, page_server.base_url).loaded
    visit = open_map(map_browser, gate.base_url, key.text, page_server.base_url)
    assert [error.status for error in visit.errors] == [429]
    assert not visit.loaded
    assert [(request.path, request.status) for request in visit.requests] == [("/assets/goong_map_web.json", 429)]
    assert recorded()["map-load"] == (2, 1)


def test_map_with_a_rest_key_is_refused(map_browser: MapBrowser, page_server: PageServer, gate: GateProcess) -> None:
    visit = open_map(map_browser, gate.base_url, make_key().text, page_server.base_url)
    assert [error.status for error in visit.errors] == [403]
    assert not visit.loaded
