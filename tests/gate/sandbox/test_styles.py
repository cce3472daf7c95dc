"""Styles and TileJSONs: valid, complete among themselves, nested URLs with the caller's own key."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gate.sandbox import sandbox_answer
from tests.gate.sandbox.reading import BASE_URL, ask, ask_json, read_tile

STYLES = [
    "goong_map_web",
    "goong_light_v2",
    "goong_map_dark",
    "goong_map_highlight",
    "goong_satellite",
    "navigation_day",
    "navigation_night",
]
KEY = "gm_a+b/c&d"
QUERY = "api_key=gm_a%2Bb%2Fc%26d"


def nested_urls(style: dict[str, Any]) -> list[str]:
    return [style["sprite"], style["glyphs"], *(source["url"] for source in style["sources"].values())]


@pytest.mark.parametrize("name", STYLES)
def test_style_is_a_mapbox_style_of_version_8(name: str) -> None:
    style = ask_json(f"/assets/{name}.json", QUERY)
    assert style["version"] == 8
    identifiers = [layer["id"] for layer in style["layers"]]
    assert len(set(identifiers)) == len(identifiers)
    assert style["layers"][0]["type"] == "background"
    assert {layer["type"] for layer in style["layers"]} >= {"background", "line", "symbol"}
    assert {layer["source"] for layer in style["layers"][1:]} <= set(style["sources"])


@pytest.mark.parametrize("name", STYLES)
def test_nested_urls_are_absolute_and_carry_the_callers_key(name: str) -> None:
    for url in nested_urls(ask_json(f"/assets/{name}.json", QUERY)):
        assert url.startswith(f"{BASE_URL}/")
        assert parse_qs(urlsplit(url).query) == {"api_key": [KEY]}


@pytest.mark.parametrize("name", STYLES)
def test_all_that_a_style_names_is_there(name: str) -> None:
    style = ask_json(f"/assets/{name}.json", QUERY)
    sprite = urlsplit(style["sprite"])
    for suffix in (".json", ".png", "@2x.json", "@2x.png"):
        assert ask(sprite.path + suffix, sprite.query).status == 200
    for font in {layer["layout"]["text-font"][0] for layer in style["layers"] if layer["type"] == "symbol"}:
        path = urlsplit(style["glyphs"].replace("{fontstack}", font).replace("{range}", "0-255")).path
        assert ask(path).status == 200
    for source in style["sources"].values():
        tiles = ask_json(urlsplit(source["url"]).path, QUERY)["tiles"]
        assert ask(urlsplit(tiles[0].format(z=14, x=13008, y=7216)).path).status == 200


def test_source_layers_of_the_styles_are_in_the_tiles() -> None:
    found = {
        layer
        for tileset in ("base", "goong")
        for z, x, y in ((14, 13008, 7216), (12, 3252, 1803), (12, 3252, 1804), (12, 3251, 1804))
        for layer in read_tile(ask(f"/tiles/{tileset}/{z}/{x}/{y}.pbf").body)
    }
    declared = {
        layer["id"] for tileset in ("base", "goong") for layer in ask_json(f"/sources/{tileset}.json")["vector_layers"]
    }
    used = {
        layer["source-layer"] for layer in ask_json("/assets/goong_map_web.json")["layers"] if "source-layer" in layer
    }
    assert used == declared == found


@pytest.mark.parametrize("name", ["base", "goong", "satellite"])
def test_tilejson_carries_the_callers_key(name: str) -> None:
    tilejson = ask_json(f"/sources/{name}.json", QUERY)
    (url,) = tilejson["tiles"]
    assert url.startswith(f"{BASE_URL}/tiles/{name}/{{z}}/{{x}}/{{y}}.")
    assert parse_qs(urlsplit(url).query) == {"api_key": [KEY]}
    assert tilejson["minzoom"] == 0 and tilejson["maxzoom"] == 14
    assert tilejson["attribution"]


def test_satellite_style_shows_pictures() -> None:
    style = ask_json("/assets/goong_satellite.json")
    assert style["sources"]["satellite"]["type"] == "raster"
    assert "raster" in {layer["type"] for layer in style["layers"]}


def test_style_can_be_written_for_goongs_own_host() -> None:
    answer = sandbox_answer(path="/assets/goong_map_web.json", query=QUERY, base_url="https://tiles.goong.io/")
    assert all(url.startswith("https://tiles.goong.io/") for url in nested_urls(json.loads(answer.body)))


def test_without_a_key_nested_urls_have_no_query() -> None:
    assert all("?" not in url for url in nested_urls(ask_json("/assets/goong_map_web.json", "")))
