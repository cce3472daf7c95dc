"""Goong's published clients against the bare sandbox: its answers are what the clients expect, and its map is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.harness import GOONG_TILES, MapBrowser, MapVisit, open_map, sdk_calls
from tests.clients.servers import PageServer, SandboxServer

KEY = "gm_sandbox"
REFUSALS = [
    (403, "ORIGIN_NOT_ALLOWED", "This key does not work from here."),
    (429, "RATE_LIMIT", "More than 5 requests a second."),
]
SDK_CALLS = {
    "autocomplete": "predictions",
    "place_detail": "result",
    "forward_geocode": "results",
    "reverse_geocode": "results",
    "geocode_place_detail": "results",
    "directions": "routes",
    "distance_matrix": "rows",
}


def test_sdk_reads_every_answer(npm_clients: Path, sandbox_server: SandboxServer) -> None:
    calls = sdk_calls(sandbox_server.base_url, KEY)
    assert set(calls) == {*SDK_CALLS, "static_map"}
    assert {name: (call.ok, call.status) for name, call in calls.items()} == dict.fromkeys(calls, (True, 200))
    for name, field in SDK_CALLS.items():
        assert calls[name].body[field], name
    assert calls["static_map"].body.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(sandbox_server.targets) == len(calls)
    assert all(target.endswith(f"&api_key={KEY}") for target in sandbox_server.targets)


def test_sdk_makes_only_the_calls_named(npm_clients: Path, sandbox_server: SandboxServer) -> None:
    calls = sdk_calls(sandbox_server.base_url, KEY, only=["directions", "autocomplete"], pause_ms=1)
    assert list(calls) == ["directions", "autocomplete"]
    assert len(sandbox_server.targets) == 2


@pytest.mark.parametrize(("status", "code", "message"), REFUSALS)
def test_sdk_shows_the_message_of_a_refusal_and_does_not_ask_again(
    npm_clients: Path, sandbox_server: SandboxServer, status: int, code: str, message: str
) -> None:
    sandbox_server.refuse(status, code=code, message=message)
    calls = sdk_calls(sandbox_server.base_url, KEY)
    for call in calls.values():
        assert (call.ok, call.status, call.message) == (False, status, message)
        assert call.body["code"] == code
    assert len(sandbox_server.targets) == len(calls)


def test_sdk_shows_the_message_of_a_bad_request(npm_clients: Path, sandbox_server: SandboxServer) -> None:
    sandbox_server.refuse(400, code="INVALID_REQUEST", message="The parameter 'input' is required.")
    (call,) = sdk_calls(sandbox_server.base_url, KEY, only=["autocomplete"]).values()
    assert (call.status, call.message) == (400, "The parameter 'input' is required.")


def assert_drawn(visit: MapVisit) -> None:
    assert visit.loaded and visit.idle
    assert visit.errors == []
    assert visit.console == []
    assert sum(visit.rendered.values()) > 20
    assert {request.status for request in visit.requests} == {200}
    assert {tuple(request.query["api_key"]) for request in visit.requests} == {(KEY,)}
    # A map load: one style, each source once, one sprite; then tiles and glyphs as the view needs them.
    assert len(visit.requests_to("/assets/")) == 1
    assert len({request.url for request in visit.requests}) == len(visit.requests)
    assert len(visit.requests_to("/sprite/")) == 2
    assert len(visit.requests_to("/tiles/")) >= 4
    assert len(visit.requests_to("/fonts/")) >= 2


def test_map_is_drawn(map_browser: MapBrowser, page_server: PageServer, sandbox_server: SandboxServer) -> None:
    visit = open_map(map_browser, sandbox_server.base_url, KEY, page_server.base_url)
    assert_drawn(visit)
    assert {"block", "road-street", "name-primary", "park"} <= set(visit.rendered)
    assert len(visit.requests_to("/sources/")) == 2
    assert sorted(request.url for request in visit.requests) == sorted(
        sandbox_server.base_url + target for target in sandbox_server.targets
    )


@pytest.mark.parametrize("style", ["goong_satellite", "goong_map_dark", "navigation_night"])
def test_other_styles_are_drawn(
    map_browser: MapBrowser, page_server: PageServer, sandbox_server: SandboxServer, style: str
) -> None:
    visit = open_map(map_browser, sandbox_server.base_url, KEY, page_server.base_url, style=style, zoom=14)
    assert_drawn(visit)


def test_style_named_by_its_own_url_is_drawn(
    map_browser: MapBrowser, page_server: PageServer, sandbox_server: SandboxServer
) -> None:
    style_url = f"{sandbox_server.base_url}/assets/goong_map_web.json?api_key={KEY}"
    visit = open_map(map_browser, sandbox_server.base_url, KEY, page_server.base_url, style_url=style_url)
    assert_drawn(visit)
    assert all("sku" not in request.query for request in visit.requests)


def test_style_that_names_goongs_own_host_is_drawn_and_its_tiles_carry_one_sku(
    map_browser: MapBrowser, page_server: PageServer, sandbox_server: SandboxServer
) -> None:
    sandbox_server.nested_base_url = GOONG_TILES
    visit = open_map(map_browser, sandbox_server.base_url, KEY, page_server.base_url)
    assert_drawn(visit)
    tiles = visit.requests_to("/tiles/")
    assert len({tuple(request.query["sku"]) for request in tiles}) == 1
    assert all("sku" not in request.query for request in visit.requests if request not in tiles)


def test_page_may_have_another_host_name(
    map_browser: MapBrowser, page_server: PageServer, sandbox_server: SandboxServer
) -> None:
    origin = f"http://shop.example.com:{page_server.port}"
    visit = open_map(map_browser, sandbox_server.base_url, KEY, origin)
    assert_drawn(visit)
    assert {request.headers["referer"] for request in visit.requests} == {f"{origin}/"}


@pytest.mark.parametrize(("status", "code", "message"), REFUSALS)
def test_refused_style_is_one_request_one_error_and_no_map(
    map_browser: MapBrowser,
    page_server: PageServer,
    sandbox_server: SandboxServer,
    status: int,
    code: str,
    message: str,
) -> None:
    sandbox_server.refuse(status, code=code, message=message)
    visit = open_map(map_browser, sandbox_server.base_url, KEY, page_server.base_url)
    (error,) = visit.errors
    assert error.status == status
    assert not visit.loaded
    assert visit.rendered == {}
    assert [(request.path, request.status) for request in visit.requests] == [("/assets/goong_map_web.json", status)]
