"""Answers `/sprite/{name}{,@2x}.{json,png}`: three small icons, drawn here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gate.sandbox.images import Canvas, Colour, Point
from gate.sandbox.reply import SandboxAnswer, json_answer

ICON_PX = 20
CENTRE: Point = (10, 10)
WHITE: Colour = (255, 255, 255)
# Each icon: the colour of its disc, and the lines drawn on it in white.
ICONS: dict[str, tuple[Colour, list[list[Point]]]] = {
    "cafe": (
        (176, 112, 60),
        [[(6.5, 7), (7, 12.5), (11, 12.5), (11.5, 7), (6.5, 7)], [(12, 8), (14, 9), (11.5, 11)]],
    ),
    "shop": (
        (66, 120, 190),
        [[(7, 8.5), (13, 8.5), (13.5, 14), (6.5, 14), (7, 8.5)], [(8.5, 8), (10, 5.5), (11.5, 8)]],
    ),
    "star": ((120, 96, 170), [[(10, 5.5), (10, 14.5)], [(6, 8), (14, 12)], [(14, 8), (6, 12)]]),
}


def sprite_answer(extension: str, *, pixel_ratio: int) -> SandboxAnswer:
    """The index ("json") or the picture ("png"). All styles share one sprite, so its name is not looked at here."""
    if extension == "json":
        return json_answer({name: _entry(order, pixel_ratio) for order, name in enumerate(ICONS)})
    return SandboxAnswer(200, "image/png", _picture(pixel_ratio))


def _entry(order: int, pixel_ratio: int) -> dict[str, Any]:
    side = ICON_PX * pixel_ratio
    return {"x": order * side, "y": 0, "width": side, "height": side, "pixelRatio": pixel_ratio}


@lru_cache(maxsize=4)
def _picture(pixel_ratio: int) -> bytes:
    canvas = Canvas(ICON_PX * pixel_ratio * len(ICONS), ICON_PX * pixel_ratio)
    for order, (colour, lines) in enumerate(ICONS.values()):
        middle = _moved(CENTRE, order, pixel_ratio)
        canvas.dot(middle, radius=9 * pixel_ratio, colour=WHITE)
        canvas.dot(middle, radius=8 * pixel_ratio, colour=colour)
        for line in lines:
            points = [_moved(point, order, pixel_ratio) for point in line]
            canvas.stroke(points, width=1.4 * pixel_ratio, colour=WHITE)
    return canvas.png()


def _moved(point: Point, order: int, pixel_ratio: int) -> Point:
    return (point[0] + order * ICON_PX) * pixel_ratio, point[1] * pixel_ratio
