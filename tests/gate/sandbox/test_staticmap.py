"""The static map: a real PNG of the size asked for, with the route in the colour asked for."""

from __future__ import annotations

import pytest

from tests.gate.sandbox.reading import ask, read_png, refusal

ROUTE = "origin=20.981971,105.864323&destination=20.994531,105.849663"


def pixels(query: str) -> set[bytes]:
    _, _, data = read_png(ask("/staticmap/route", query).body)
    return {data[at : at + 4] for at in range(0, len(data), 4)}


def test_static_map_is_600_by_400_by_default() -> None:
    answer = ask("/staticmap/route", ROUTE)
    assert (answer.status, answer.content_type) == (200, "image/png")
    assert read_png(answer.body)[:2] == (600, 400)


def test_static_map_has_the_size_asked_for() -> None:
    assert read_png(ask("/staticmap/route", ROUTE + "&width=64&height=48").body)[:2] == (64, 48)


def test_route_is_drawn_in_the_colour_asked_for() -> None:
    small = ROUTE + "&width=120&height=90"
    assert bytes.fromhex("253494ff") in pixels(small)
    assert bytes.fromhex("ff0080ff") in pixels(small + "&color=%23ff0080")
    assert bytes.fromhex("ff0080ff") not in pixels(small)


def test_route_to_the_same_point_is_drawn() -> None:
    assert ask("/staticmap/route", "origin=21,105&destination=21,105&width=64&height=64").status == 200


@pytest.mark.parametrize(
    "extra",
    ["width=0", "width=1281", "height=99999999999999999999", "height=-5", "width=1e3", "color=red", "type=scenic"],
)
def test_absurd_picture_is_refused(extra: str) -> None:
    assert refusal(ask("/staticmap/route", f"{ROUTE}&{extra}"))[:2] == (400, "INVALID_REQUEST")
