"""Answers `/tiles/{set}/{z}/{x}/{y}.{pbf,webp}`: the made-up city, or satellite pictures of fields."""

from __future__ import annotations

from functools import lru_cache

from gate.sandbox import chance
from gate.sandbox.city import MAX_ZOOM, Tile, base_layers, name_layers
from gate.sandbox.images import webp
from gate.sandbox.reply import PROTOBUF_TYPE, SandboxAnswer, invalid_request, not_found
from gate.sandbox.vectortile import encode_tile

VECTOR_SETS = {"base": base_layers, "goong": name_layers}
SATELLITE = "satellite"
PICTURE_PX, FIELD_PX = 256, 16
# Two levels each of green, red and blue; together eight colours of fields, woods and roofs.
FIELD_TONES = ((86, 104), (68, 90), (50, 62))


def tile_answer(tileset: str, z: str, x: str, y: str, extension: str) -> SandboxAnswer:
    numbers = [_number(text) for text in (z, x, y)]
    if None in numbers:
        return invalid_request("Zoom, column and row of a tile must be whole numbers.")
    zoom, column, row = (number or 0 for number in numbers)
    if zoom > MAX_ZOOM or column >> zoom or row >> zoom:
        return not_found(f"There is no tile {zoom}/{column}/{row}.")
    if tileset in VECTOR_SETS and extension == "pbf":
        return SandboxAnswer(200, PROTOBUF_TYPE, _vector_tile(tileset, Tile(zoom, column, row)))
    if tileset == SATELLITE and extension == "webp":
        return SandboxAnswer(200, "image/webp", _satellite_tile(Tile(zoom, column, row)))
    return not_found(f"There is no tile set '{tileset}' with tiles of type '{extension}'.")


def _number(text: str) -> int | None:
    """The number, or None for anything but a few plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None


@lru_cache(maxsize=512)
def _vector_tile(tileset: str, tile: Tile) -> bytes:
    return encode_tile(VECTOR_SETS[tileset](tile))


@lru_cache(maxsize=128)
def _satellite_tile(tile: Tile) -> bytes:
    """Fields of a few colours; every row of fields is put together once and repeated."""
    rows: list[list[int]] = []
    for j in range(PICTURE_PX // FIELD_PX):
        fields = (chance.number("field", tile, i // 2, j // 2) % 8 for i in range(PICTURE_PX // FIELD_PX))
        rows += [[field for field in fields for _ in range(FIELD_PX)]] * FIELD_PX
    return webp(rows, FIELD_TONES)
