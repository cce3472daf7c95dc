"""Answers `/fonts/{fontstack}/{range}.pbf`: letters as signed distance fields, for map clients.

Format: glyphs.proto of the Mapbox GL style specification. A field's byte is 192 on a letter's outline, more
inside, and falls by 255 in eight pixels; lines are 24 pixels high, and a letter has a border of three pixels.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from itertools import pairwise

from gate.sandbox.protobuf import bytes_field, number_field, text_field, zigzag
from gate.sandbox.reply import PROTOBUF_TYPE, SandboxAnswer, invalid_request
from gate.sandbox.strokes import CAPITAL_HEIGHT, Stroke, letter_strokes

RANGE = re.compile(r"(\d{1,5})-(\d{1,5})", re.ASCII)
RANGE_SIZE, LAST_CODE = 256, 0xFFFF
CAPITAL_PX = 17.0
UNIT_PX = CAPITAL_PX / CAPITAL_HEIGHT
# How far above the base line the top of the line lies: the clients' 24 pixel line centres capitals with it.
ASCENT_PX = 25
BORDER_PX, REACH_PX, OUTLINE = 3, 8.0, 0.25
LIGHT_PX, BOLD_PX = 1.0, 1.5
SPACING_PX = 4
SPACE_PX = 8

# A piece of a stroke: where it starts, how far it runs, and its length squared.
Piece = tuple[float, float, float, float, float]


def glyphs_answer(fontstack: str, code_range: str) -> SandboxAnswer:
    """One range of 256 characters; those that the alphabet lacks are left out, which clients allow."""
    match = RANGE.fullmatch(code_range)
    first, last = (int(match[1]), int(match[2])) if match else (1, 0)
    if first % RANGE_SIZE or last != first + RANGE_SIZE - 1 or last > LAST_CODE:
        return invalid_request("A range of glyphs is 256 long and begins at a multiple of 256, such as 0-255.")
    name = fontstack[:200]
    glyphs = _glyphs(first, "bold" in name.lower())
    return SandboxAnswer(200, PROTOBUF_TYPE, bytes_field(1, text_field(1, name) + text_field(2, code_range) + glyphs))


@lru_cache(maxsize=16)
def _glyphs(first: int, is_bold: bool) -> bytes:
    half_width = BOLD_PX if is_bold else LIGHT_PX
    return b"".join(_glyph(code, half_width) for code in range(first, first + RANGE_SIZE))


def _glyph(code: int, half_width: float) -> bytes:
    """One glyph's field, or nothing."""
    if code == ord(" "):
        return bytes_field(3, _message(code, b"", (0, 0), (0, 0), SPACE_PX))
    # Surrogates and other characters without a shape of their own decompose to themselves.
    letter = letter_strokes(chr(code))
    if letter is None:
        return b""
    width, strokes = letter
    placed = [[(x * UNIT_PX, y * UNIT_PX) for x, y in stroke] for stroke in strokes]
    xs, ys = ([point[axis] for stroke in placed for point in stroke] for axis in (0, 1))
    left, bottom = math.floor(min(xs) - half_width), math.floor(min(ys) - half_width)
    size = math.ceil(max(xs) + half_width) - left, math.ceil(max(ys) + half_width) - bottom
    field = _distance_field(placed, (left, bottom), size, half_width)
    advance = round(width * UNIT_PX + SPACING_PX)
    return bytes_field(3, _message(code, field, size, (left + SPACING_PX // 2, bottom + size[1]), advance))


def _message(code: int, field: bytes, size: tuple[int, int], top_left: tuple[int, int], advance: int) -> bytes:
    return b"".join(
        (
            number_field(1, code),
            bytes_field(2, field) if field else b"",
            number_field(3, size[0]),
            number_field(4, size[1]),
            number_field(5, zigzag(top_left[0])),
            number_field(6, zigzag(top_left[1] - ASCENT_PX)),
            number_field(7, advance),
        )
    )


def _distance_field(strokes: list[Stroke], corner: tuple[int, int], size: tuple[int, int], half_width: float) -> bytes:
    pieces = [_piece(start, end) for stroke in strokes for start, end in pairwise(stroke)]
    columns = [corner[0] + x + 0.5 for x in range(-BORDER_PX, size[0] + BORDER_PX)]
    rows = [corner[1] + y + 0.5 for y in range(size[1] + BORDER_PX - 1, -BORDER_PX - 1, -1)]
    return bytes(_level(_distance(x, y, pieces) - half_width) for y in rows for x in columns)


def _piece(start: tuple[float, float], end: tuple[float, float]) -> Piece:
    dx, dy = end[0] - start[0], end[1] - start[1]
    return *start, dx, dy, dx * dx + dy * dy or 1.0


def _distance(x: float, y: float, pieces: list[Piece]) -> float:
    """The distance to the nearest piece. Written out, since a range of glyphs asks half a million times."""
    nearest = math.inf
    for start_x, start_y, dx, dy, length_squared in pieces:
        to_x, to_y = x - start_x, y - start_y
        along = (to_x * dx + to_y * dy) / length_squared
        along = 0.0 if along < 0 else 1.0 if along > 1 else along
        to_x -= along * dx
        to_y -= along * dy
        squared = to_x * to_x + to_y * to_y
        if squared < nearest:
            nearest = squared
    return math.sqrt(nearest)


def _level(distance_px: float) -> int:
    return max(0, min(255, round(255 * (1 - OUTLINE - distance_px / REACH_PX))))
