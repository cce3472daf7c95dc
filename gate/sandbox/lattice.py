"""The made-up city: a lattice of street corners that covers the world at every scale.

Level L divides the Web Mercator square into 2**L cells a side, and keeps the corners of the levels above: so
streets stay where they are when the map is zoomed, and tiles meet at their borders. Corners are moved aside
a little, each for itself, and all together along slow waves. Pure geometry; x runs east and y south, 0 to 1.
"""

from __future__ import annotations

import math
from functools import lru_cache

from gate.sandbox import chance

Point = tuple[float, float]
Ring = list[Point]

# How far a corner may move by itself, as a share of its cell: below a quarter, neighbours keep their order.
WOBBLE = 0.18
# Corners of this level and those above move by their share of a cell of this level.
WOBBLE_LEVEL = 14
# The waves: each by the level whose cells it is measured in. Together they turn streets by up to 35 degrees.
WAVE_LEVELS = (10.3, 12.2)
WAVE_LENGTH, WAVE_HEIGHT = 7.0, 0.38
# A round of looking for where a point was before the waves moved it; the error shrinks to 0.7 in each.
UNMOVE_ROUNDS = 12


@lru_cache(maxsize=16_384)
def corner(level: int, i: int, j: int) -> Point:
    """Where the corner at column i, row j of a level lies."""
    x, y = _still_corner(level, i, j)
    east, south = _wave(x, y)
    return x + east, y + south


@lru_cache(maxsize=16_384)
def _still_corner(level: int, i: int, j: int) -> Point:
    """The corner without the waves."""
    if level < WOBBLE_LEVEL:
        return _still_corner(WOBBLE_LEVEL, i << (WOBBLE_LEVEL - level), j << (WOBBLE_LEVEL - level))
    if level > WOBBLE_LEVEL and i % 2 == 0 and j % 2 == 0:
        return _still_corner(level - 1, i // 2, j // 2)
    x, y = i / (1 << level), j / (1 << level)
    if level > WOBBLE_LEVEL:
        columns, rows = {i // 2, (i + 1) // 2}, {j // 2, (j + 1) // 2}
        around = [_still_corner(level - 1, column, row) for column in columns for row in rows]
        x, y = centre(around)
    east, south = (chance.fraction(axis, level, i, j) - 0.5 for axis in "xy")
    return x + 2 * WOBBLE * east / (1 << level), y + 2 * WOBBLE * south / (1 << level)


def _wave(x: float, y: float) -> Point:
    """How far the waves move a point: east by how far south it lies, and south by how far east."""
    east = south = 0.0
    for wave_level in WAVE_LEVELS:
        cells = 2.0**wave_level
        east += WAVE_HEIGHT / cells * math.sin(math.tau * (y * cells / WAVE_LENGTH))
        south += WAVE_HEIGHT / cells * math.sin(math.tau * (x * cells / WAVE_LENGTH + 0.3))
    return east, south


def cells_around(level: int, border: list[Point]) -> tuple[range, range]:
    """Columns and rows of the cells of a level that may hold any of the square with this border.

    The lattice goes on beyond the world, so numbers may be negative.
    """
    cells = 1 << level
    margin = 1 + math.ceil(2 * WOBBLE * max(1.0, 2.0 ** (level - WOBBLE_LEVEL)))
    still = [_unmoved(point) for point in border]
    ranges = []
    for axis in (0, 1):
        first = math.floor(min(point[axis] for point in still) * cells) - margin
        last = math.floor(max(point[axis] for point in still) * cells) + margin
        ranges.append(range(first, last + 1))
    return ranges[0], ranges[1]


def _unmoved(point: Point) -> Point:
    """Where the point was before the waves moved it."""
    x, y = point
    for _ in range(UNMOVE_ROUNDS):
        east, south = _wave(x, y)
        x, y = point[0] - east, point[1] - south
    return x, y


def level_of(level: int, index: int) -> int:
    """The coarsest level that has this line already: the major streets are the lines of coarse levels."""
    while level and index % 2 == 0:
        level, index = level - 1, index // 2
    return level


def cell_ring(level: int, i: int, j: int, *, detail: int = 0) -> Ring:
    """The border of a cell, clockwise on the map, with 2**detail pieces a side."""
    fine, n_pieces = level + detail, 1 << detail
    left, top = i << detail, j << detail
    steps = range(n_pieces)
    return [
        *(corner(fine, left + step, top) for step in steps),
        *(corner(fine, left + n_pieces, top + step) for step in steps),
        *(corner(fine, left + n_pieces - step, top + n_pieces) for step in steps),
        *(corner(fine, left, top + n_pieces - step) for step in steps),
    ]


def shrunk(ring: Ring, share: float) -> Ring:
    """The ring, each point moved towards the middle by a share of the way."""
    middle = centre(ring)
    return [(x + (middle[0] - x) * share, y + (middle[1] - y) * share) for x, y in ring]


def centre(ring: Ring) -> Point:
    return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)


def rounded(points: Ring, *, closed: bool) -> Ring:
    """The points with every corner cut twice (Chaikin's algorithm)."""
    for _ in range(2):
        pairs = list(zip(points, points[1:] + points[:1] if closed else points[1:], strict=False))
        cut = [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in pairs for share in (0.25, 0.75)]
        points = cut if closed else [points[0], *cut, points[-1]]
    return points
