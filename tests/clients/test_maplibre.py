"""A map by MapLibre in Chromium against a running gate, told nothing but the style's URL with a key in it."""

from __future__ import annotations

from tests.clients.harness import MapBrowser, open_map
from tests.clients.servers import PageServer
from tests.clients.usage import recorded
from tests.factories import make_key
from tests.processes import GateProcess


def test_style_url_with_a_key_is_all_that_a_map_needs(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(type="tiles", restrictions=["http://shop.example.com:*"])
    style_url = f"{gate.base_url}/assets/goong_map_web.json?api_key={key.text}"
    origin = f"http://shop.example.com:{page_server.port}"
    visit = open_map(map_browser, gate.base_url, "", origin, style_url=style_url, page="maplibre.html")
    assert visit.loaded and visit.idle
    assert visit.errors == []
    assert sum(visit.rendered.values()) > 20
    for part in ("/assets/", "/sources/", "/sprite/", "/fonts/", "/tiles/"):
        assert visit.requests_to(part), part
    assert {request.status for request in visit.requests} == {200}
    # What the style names carries the caller's own key.
    assert {tuple(request.query["api_key"]) for request in visit.requests} == {(key.text,)}
    usage = recorded()
    assert usage["map-load"] == (1, 1)
    assert sum(units for _, units in usage.values()) == 1


def test_forbidden_origin_is_an_error_and_no_map(
    map_browser: MapBrowser, page_server: PageServer, gate: GateProcess
) -> None:
    key = make_key(type="tiles", restrictions=["http://shop.example.com:*"])
    style_url = f"{gate.base_url}/assets/goong_map_web.json?api_key={key.text}"
    origin = f"http://thief.test:{page_server.port}"
    visit = open_map(map_browser, gate.base_url, "", origin, style_url=style_url, page="maplibre.html")
    assert [error.status for error in visit.errors] == [403]
    assert not visit.loaded
    assert recorded() == {"map-load": (1, 0)}
