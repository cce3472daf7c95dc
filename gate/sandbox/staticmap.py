"""The static map: a PNG of one made-up journey."""

from __future__ import annotations

import re
from functools import lru_cache

from gate.sandbox.geo import LatLng
from gate.sandbox.images import Canvas, Colour, Point
from gate.sandbox.journeys import VEHICLES, journey, path
from gate.sandbox.query import BadParameter, Query
from gate.sandbox.reply import SandboxAnswer

DEFAULT_SIZE_PX = (600, 400)
MIN_SIDE_PX, MAX_SIDE_PX = 16, 1280
MARGIN = 0.15
STREET_PX, STREET_STEP_PX = 4, 60
GROUND, STREET, WHITE = (242, 239, 233), (255, 255, 255), (255, 255, 255)
START, END = (34, 160, 107), (214, 69, 65)
HEX_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})", re.ASCII)


def static_map(query: Query) -> SandboxAnswer:
    width, height = (
        query.integer(name, default=default, low=MIN_SIDE_PX, high=MAX_SIDE_PX)
        for name, default in zip(("width", "height"), DEFAULT_SIZE_PX, strict=True)
    )
    picture = _picture(
        query.point("origin"),
        query.point("destination"),
        query.choice("vehicle", VEHICLES),
        query.choice("type", ("fastest", "shortest")),
        _colour(query.get("color") or "#253494"),
        (width, height),
    )
    return SandboxAnswer(200, "image/png", picture)


def _colour(text: str) -> Colour:
    match = HEX_COLOUR.fullmatch(text)
    if match is None:
        raise BadParameter("The parameter 'color' must be six hexadecimal digits such as #253494.")
    red, green, blue = bytes.fromhex(match[1])
    return red, green, blue


@lru_cache(maxsize=32)
def _picture(start: LatLng, end: LatLng, vehicle: str, kind: str, colour: Colour, size_px: tuple[int, int]) -> bytes:
    canvas = Canvas(*size_px, GROUND)
    _draw_streets(canvas)
    corners = path(journey(start, end, vehicle=vehicle, variant=kind == "shortest"))
    line = _fit(corners, size_px)
    canvas.stroke(line, width=9, colour=WHITE)
    canvas.stroke(line, width=5, colour=colour)
    for place, shade in ((line[0], START), (line[-1], END)):
        canvas.dot(place, radius=9, colour=WHITE)
        canvas.dot(place, radius=6, colour=shade)
    return canvas.png()


def _draw_streets(canvas: Canvas) -> None:
    for x in range(STREET_STEP_PX // 2, canvas.width, STREET_STEP_PX):
        canvas.fill(range(x, x + STREET_PX), range(canvas.height), STREET)
    for y in range(STREET_STEP_PX // 2, canvas.height, STREET_STEP_PX):
        canvas.fill(range(canvas.width), range(y, y + STREET_PX), STREET)


def _fit(points: list[LatLng], size_px: tuple[int, int]) -> list[Point]:
    """The points on the picture, north up, with a margin on every side."""
    west, south = min(point.lng for point in points), min(point.lat for point in points)
    span = max(max(p.lng for p in points) - west, max(p.lat for p in points) - south, 1e-9)
    scale = min(size_px) * (1 - 2 * MARGIN) / span
    east, north = max(point.lng for point in points), max(point.lat for point in points)
    centre = LatLng((south + north) / 2, (west + east) / 2)
    return [
        (size_px[0] / 2 + (point.lng - centre.lng) * scale, size_px[1] / 2 - (point.lat - centre.lat) * scale)
        for point in points
    ]
