"""Tiles: valid vector tiles that meet at their borders, WebP pictures, clear refusals."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.sandbox.city import BUFFER, MAX_ZOOM
from tests.gate.sandbox.reading import ReadFeature, ask, read_tile, read_webp_size, refusal

HANOI = (14, 13008, 7216)
POINT, LINE, POLYGON = 1, 2, 3


def tile(tileset: str, z: int, x: int, y: int) -> dict[str, list[ReadFeature]]:
    answer = ask(f"/tiles/{tileset}/{z}/{x}/{y}.pbf")
    assert (answer.status, answer.content_type) == (200, "application/x-protobuf")
    return read_tile(answer.body)


def twice_area(ring: list[tuple[int, int]]) -> int:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int, int]:
    z = draw(st.integers(0, MAX_ZOOM))
    return z, draw(st.integers(0, 2**z - 1)), draw(st.integers(0, 2**z - 1))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["base", "goong"]), places())
def test_every_tile_is_valid_and_holds_an_area_and_a_line(tileset: str, place: tuple[int, int, int]) -> None:
    layers = tile(tileset, *place)
    features = [feature for layer in layers.values() for feature in layer]
    assert {LINE, POLYGON} <= {feature.shape for feature in features}
    for feature in features:
        assert feature.paths
        for path in feature.paths:
            assert all(-BUFFER <= value <= 4096 + BUFFER for point in path for value in point)
            assert len(path) >= {POINT: 1, LINE: 2, POLYGON: 4}[feature.shape]
            if feature.shape == POLYGON:
                assert path[0] == path[-1]
                assert twice_area(path) > 0, "outer rings run clockwise"


def test_layers_of_the_two_sets() -> None:
    assert {"block", "building", "road"} <= set(tile("base", *HANOI))
    assert {"district", "street_name", "shop"} <= set(tile("goong", *HANOI))


def test_tiles_differ_from_place_to_place() -> None:
    bodies = {ask(f"/tiles/base/12/{x}/1804.pbf").body for x in range(3250, 3255)}
    assert len(bodies) == 5


def border_crossings(features: list[ReadFeature], x: int) -> set[int]:
    """Where roads cross the vertical line at x, to the nearest few units."""
    crossings = set()
    for feature in features:
        for path in feature.paths:
            for a, b in pairwise(path):
                if a[0] != b[0] and min(a[0], b[0]) <= x < max(a[0], b[0]):
                    crossings.add(round(a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])))
    return {y for y in crossings if 0 <= y <= 4096}


@pytest.mark.parametrize(("z", "x", "y"), [HANOI, (12, 3252, 1804), (9, 406, 225), (3, 2, 5)])
def test_roads_go_on_in_the_next_tile(z: int, x: int, y: int) -> None:
    here = border_crossings(tile("base", z, x, y)["road"], 4096)
    there = border_crossings(tile("base", z, x + 1, y)["road"], 0)
    assert here
    assert len(here) == len(there)
    assert all(abs(a - b) <= 3 for a, b in zip(sorted(here), sorted(there), strict=True))


def test_major_roads_are_still_there_when_zoomed_in() -> None:
    outer = {feature.properties["name"] for feature in tile("goong", 12, 3252, 1804)["street_name"]}
    inner = {
        feature.properties["name"]
        for x in (6504, 6505)
        for y in (3608, 3609)
        for feature in tile("goong", 13, x, y)["street_name"]
    }
    words = {str(name).split(" ", 1)[1].removeprefix("lộ ") for name in inner}
    assert {str(name).split(" ", 1)[1].removeprefix("lộ ") for name in outer} <= words


def test_satellite_tile_is_a_webp_picture() -> None:
    answer = ask("/tiles/satellite/12/3252/1804.webp")
    assert (answer.status, answer.content_type) == (200, "image/webp")
    assert read_webp_size(answer.body) == (256, 256)
    assert answer.body != ask("/tiles/satellite/12/3253/1804.webp").body


@pytest.mark.parametrize("place", ["a/0/0", "0/b/0", "0/0/-1", "1.5/0/0", "²/0/0", "0/0/99999999999"])
def test_tile_that_has_no_numbers_is_refused(place: str) -> None:
    assert refusal(ask(f"/tiles/base/{place}.pbf"))[:2] == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "tile_name", ["base/0/1/0.pbf", "base/0/0/1.pbf", "base/15/0/0.pbf", "base/9999999999/0/0.pbf"]
)
def test_tile_outside_the_world_is_not_found(tile_name: str) -> None:
    assert refusal(ask(f"/tiles/{tile_name}"))[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize("tile_name", ["nope/0/0/0.pbf", "base/0/0/0.webp", "satellite/0/0/0.pbf", "base/0/0/0.exe"])
def test_unknown_tile_set_is_not_found(tile_name: str) -> None:
    assert refusal(ask(f"/tiles/{tile_name}"))[:2] == (404, "NOT_FOUND")
