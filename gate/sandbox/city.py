"""What stands in the made-up city: streets, blocks, parks, lakes and names, as features of a tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gate.sandbox import chance
from gate.sandbox.clipping import clip_line, clip_ring
from gate.sandbox.lattice import (
    Point,
    Ring,
    cell_ring,
    cells_around,
    centre,
    corner,
    level_of,
    rounded,
    shrunk,
)
from gate.sandbox.vectortile import EXTENT, Feature, Path, Shape, Value

# The deepest zoom there are tiles for; closer in, clients enlarge them.
MAX_ZOOM = 14
# The margin around a tile, in tile units, within which its neighbours' features are repeated.
BUFFER = 96
# By how many levels below the tile a road's lattice line first appears.
ROAD_KINDS = ("primary", "secondary", "street", "street")
RIVER_LEVELS = (3, 7, 11)
LAKE_LEVELS, PARK_LEVELS = (12, 14), (13, 15)
DISTRICT_LEVEL = 11
BUILDING_ZOOM = MAX_ZOOM
BLOCK_KINDS = ("residential",) * 6 + ("business", "garden")
WORDS = (
    *(
        "Sao Mai",
        "Bình Minh",
        "Hoàng Lan",
        "Thanh Bình",
        "An Lạc",
        "Phú Quý",
        "Tân Tiến",
        "Hoa Mai",
        "Trúc Xanh",
    ),
    *(
        "Hồng Hạc",
        "Hải Âu",
        "Hướng Dương",
        "Bằng Lăng",
        "Hoa Sữa",
        "Cây Đa",
        "Sen Vàng",
        "Đồng Xanh",
        "Mây Trắng",
    ),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One square of the map, as the tile URL names it."""

    z: int
    x: int
    y: int

    def place(self, point: Point) -> Point:
        """A point of the world in tile units."""
        scale = (1 << self.z) * EXTENT
        return point[0] * scale - self.x * EXTENT, point[1] * scale - self.y * EXTENT

    def cells(self, level: int) -> Iterator[tuple[int, int]]:
        """The cells of a level that lie in the tile or near it."""
        columns, rows = self.near(level)
        return ((i, j) for i in columns for j in rows)

    def near(self, level: int) -> tuple[range, range]:
        side = 1 / (1 << self.z)
        steps = (-0.02, 0.25, 0.5, 0.75, 1.02)
        border = [((self.x + east) * side, (self.y + south) * side) for east in steps for south in steps]
        return cells_around(level, border)

    def feature(self, shape: Shape, points: Ring, **properties: Value) -> Iterator[Feature]:
        """The feature cut to the tile: one, or none where it lies outside."""
        placed = [self.place(point) for point in points]
        if not all(_spans_tile(values) for values in zip(*placed, strict=True)):
            return
        if shape is Shape.POINT:
            inside = all(0 <= value < EXTENT for value in placed[0])
            paths = [_rounded_off(placed)] if inside else []
        elif shape is Shape.LINE:
            parts = clip_line(placed, -BUFFER, EXTENT + BUFFER)
            paths = [path for part in parts if len(path := _rounded_off(part)) > 1]
        else:
            path = _rounded_off(clip_ring(placed, -BUFFER, EXTENT + BUFFER))
            paths = [path] if _area(path) > 0 else []
        if paths:
            yield Feature(shape, paths, properties)

    @property
    def street_level(self) -> int:
        """The level whose lattice lines are this tile's streets: finer in the deepest tiles, which get enlarged."""
        return self.z + (3 if self.z >= MAX_ZOOM - 1 else 2)


def base_layers(tile: Tile) -> dict[str, list[Feature]]:
    """The ground: blocks, buildings, parks, water and roads."""
    lines = list(_lines(tile))
    return {
        "block": list(_blocks(tile)),
        "building": list(_buildings(tile)),
        "road": [feature for feature in lines if feature.properties["kind"] != "river"],
        "waterway": [feature for feature in lines if feature.properties["kind"] == "river"],
        "park": list(_areas(tile, PARK_LEVELS, "park")),
        "water": list(_areas(tile, LAKE_LEVELS, "lake")),
    }


def name_layers(tile: Tile) -> dict[str, list[Feature]]:
    """What is written on the ground: borders of districts, names of streets, parks, lakes and shops."""
    return {
        "district": list(_districts(tile)),
        "street_name": [feature for feature in _lines(tile) if feature.properties["kind"] != "street"],
        "place": [*_places(tile), *_area_names(tile)],
        "shop": list(_shops(tile)),
    }


def _blocks(tile: Tile) -> Iterator[Feature]:
    level = tile.street_level
    for i, j in tile.cells(level):
        kind = chance.pick(BLOCK_KINDS, "block", level, i, j)
        yield from tile.feature(Shape.POLYGON, shrunk(cell_ring(level, i, j), 0.06), kind=kind)


def _buildings(tile: Tile) -> Iterator[Feature]:
    if tile.z < BUILDING_ZOOM:
        return
    level = tile.street_level + 1
    for i, j in tile.cells(level):
        kind = chance.pick(BLOCK_KINDS, "block", level - 1, i // 2, j // 2)
        if kind != "garden" and chance.fraction("building", level, i, j) < 0.8:
            share = 0.25 + 0.3 * chance.fraction("size", level, i, j)
            yield from tile.feature(Shape.POLYGON, shrunk(cell_ring(level, i, j), share), kind=kind)


def _lines(tile: Tile) -> Iterator[Feature]:
    """All lattice lines of the tile, as roads or rivers."""
    level = tile.street_level
    near_columns, near_rows = tile.near(level)
    # Rounding looks two corners ahead, and must see the same ones in neighbouring tiles.
    columns, rows = _wider(near_columns), _wider(near_rows)
    for i in columns:
        line = rounded([corner(level, i, j) for j in rows], closed=False)
        yield from tile.feature(Shape.LINE, line, **_line_properties(tile, level, i, "v"))
    for j in rows:
        line = rounded([corner(level, i, j) for i in columns], closed=False)
        yield from tile.feature(Shape.LINE, line, **_line_properties(tile, level, j, "h"))


def _wider(cells: range) -> range:
    """The lattice lines around these cells, and two more on either side."""
    return range(cells.start - 2, cells.stop + 3)


def _line_properties(tile: Tile, level: int, index: int, direction: str) -> dict[str, Value]:
    own_level = level_of(level, index)
    odd_index = index >> (level - own_level)
    word = chance.pick(WORDS, "street", direction, own_level, odd_index)
    if direction == "h" and own_level in RIVER_LEVELS and own_level <= tile.z:
        return {"kind": "river", "name": f"Sông {word}", "width": min(48, 6 << (tile.z - own_level))}
    if own_level < tile.z:
        return {"kind": "highway", "name": f"Đại lộ {word}"}
    return {"kind": ROAD_KINDS[own_level - tile.z], "name": f"Phố {word}"}


def _area_rings(tile: Tile, levels: tuple[int, ...], kind: str) -> Iterator[tuple[Ring, str]]:
    """Parks or lakes: some cells of a level, a little smaller and with round corners; each with its name."""
    for level in levels:
        for i, j in tile.cells(level) if tile.z >= level - 2 else ():
            if _is_area(kind, level, i, j) and _is_built_up(level - 1, i >> 1, j >> 1):
                ring = shrunk(cell_ring(level, i, j, detail=2), 0.14)
                yield rounded(ring, closed=True), chance.pick(WORDS, kind, i, j)


def _is_area(kind: str, level: int, i: int, j: int) -> bool:
    return chance.number(kind, level, i, j) % 10 == 0


def _is_built_up(level: int, i: int, j: int) -> bool:
    """Whether a cell lies in no park and no lake."""
    return not any(
        _is_area(kind, area_level, i >> (level - area_level), j >> (level - area_level))
        for kind, levels in (("park", PARK_LEVELS), ("lake", LAKE_LEVELS))
        for area_level in levels
        if area_level <= level
    )


def _areas(tile: Tile, levels: tuple[int, ...], kind: str) -> Iterator[Feature]:
    for ring, _ in _area_rings(tile, levels, kind):
        yield from tile.feature(Shape.POLYGON, ring, kind=kind)


def _area_names(tile: Tile) -> Iterator[Feature]:
    for kind, title, levels in (("park", "Công viên", PARK_LEVELS), ("lake", "Hồ", LAKE_LEVELS)):
        for ring, word in _area_rings(tile, levels, kind):
            yield from tile.feature(Shape.POINT, [centre(ring)], kind=kind, name=f"{title} {word}")


def _districts(tile: Tile) -> Iterator[Feature]:
    level = min(DISTRICT_LEVEL, tile.z)
    for i, j in tile.cells(level):
        ring = cell_ring(level, i, j, detail=tile.street_level - level)
        yield from tile.feature(Shape.POLYGON, ring, name=chance.pick(WORDS, "district", level, i, j))


def _places(tile: Tile) -> Iterator[Feature]:
    for level, kind in ((min(DISTRICT_LEVEL, tile.z), "district"), (min(13, tile.z + 1), "ward")):
        for i, j in tile.cells(level):
            if not _is_built_up(level, i, j):
                continue
            name = chance.pick(WORDS, kind, level, i, j)
            yield from tile.feature(Shape.POINT, [centre(cell_ring(level, i, j))], kind=kind, name=name)


def _shops(tile: Tile) -> Iterator[Feature]:
    level = tile.street_level
    for i, j in tile.cells(level) if tile.z >= BUILDING_ZOOM - 1 else ():
        if chance.number("shop", level, i, j) % 8 == 0 and _is_built_up(level, i, j):
            name = f"Quán {chance.pick(WORDS, 'shop', i, j)}"
            icon = chance.pick(("cafe", "shop", "star"), "icon", i, j)
            yield from tile.feature(Shape.POINT, [centre(cell_ring(level, i, j))], kind=icon, name=name)


def _spans_tile(values: tuple[float, ...]) -> bool:
    """Whether any of these coordinates may be in the tile or lie on both sides of it."""
    return max(values) >= -BUFFER and min(values) <= EXTENT + BUFFER


def _rounded_off(points: list[Point]) -> Path:
    """The points in whole tile units, without repetitions."""
    whole = [(round(x), round(y)) for x, y in points]
    return [point for order, point in enumerate(whole) if order == 0 or point != whole[order - 1]]


def _area(path: Path) -> float:
    """Twice the area by the surveyor's formula: positive for rings that run clockwise with y down."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(path, path[1:] + path[:1], strict=True))
