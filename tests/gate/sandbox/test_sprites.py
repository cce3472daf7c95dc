"""The sprite: a PNG, and an index of icons that lie within it."""

from __future__ import annotations

import pytest

from tests.gate.sandbox.reading import ask, ask_json, read_png


@pytest.mark.parametrize(("suffix", "pixel_ratio"), [("", 1), ("@2x", 2)])
def test_icons_lie_within_the_picture(suffix: str, pixel_ratio: int) -> None:
    answer = ask(f"/sprite/goong_map_web{suffix}.png")
    assert answer.content_type == "image/png"
    width, height, _ = read_png(answer.body)
    index = ask_json(f"/sprite/goong_map_web{suffix}.json")
    assert set(index) == {"cafe", "shop", "star"}
    for icon in index.values():
        assert icon["pixelRatio"] == pixel_ratio
        assert icon["x"] + icon["width"] <= width and icon["y"] + icon["height"] <= height


def test_icons_stand_on_clear_ground() -> None:
    _, _, pixels = read_png(ask("/sprite/goong_map_web.png").body)
    assert pixels[3] == 0
    assert max(pixels[3::4]) == 255


def test_unknown_type_of_sprite_is_not_found() -> None:
    assert ask("/sprite/goong_map_web.gif").status == 404
