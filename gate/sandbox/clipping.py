"""Cutting lines and polygons to a square, so that no tile holds what lies far outside it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

Point = tuple[float, float]


def clip_line(points: list[Point], low: float, high: float) -> list[list[Point]]:
    """The parts of the line within the square from (low, low) to (high, high), in order."""
    parts: list[list[Point]] = []
    for start, end in pairwise(points):
        piece = _clip_piece(start, end, low, high)
        if piece is None:
            continue
        if parts and parts[-1][-1] == piece[0]:
            parts[-1].append(piece[1])
        else:
            parts.append(list(piece))
    return parts


def clip_ring(ring: list[Point], low: float, high: float) -> list[Point]:
    """The part of the polygon within the square (Sutherland and Hodgman); empty where they do not meet."""
    for axis in (0, 1):
        ring = _cut(ring, axis, low, lambda value, bound: value >= bound)
        ring = _cut(ring, axis, high, lambda value, bound: value <= bound)
    return ring


def _clip_piece(start: Point, end: Point, low: float, high: float) -> tuple[Point, Point] | None:
    """Liang and Barsky's algorithm: the shares of the way between which the piece is inside."""
    enter, leave = 0.0, 1.0
    for axis in (0, 1):
        delta = end[axis] - start[axis]
        for way, room in ((-delta, start[axis] - low), (delta, high - start[axis])):
            if way == 0 and room < 0:
                return None
            if way < 0:
                enter = max(enter, room / way)
            elif way > 0:
                leave = min(leave, room / way)
    if enter > leave:
        return None
    return _at(start, end, enter), _at(start, end, leave)


def _cut(ring: list[Point], axis: int, bound: float, inside: Callable[[float, float], bool]) -> list[Point]:
    kept: list[Point] = []
    for before, point in zip(ring[-1:] + ring[:-1], ring, strict=True):
        if inside(point[axis], bound) != inside(before[axis], bound):
            kept.append(_at(before, point, (bound - before[axis]) / (point[axis] - before[axis])))
        if inside(point[axis], bound):
            kept.append(point)
    return kept


def _at(start: Point, end: Point, share: float) -> Point:
    if share in (0.0, 1.0):
        return end if share else start
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
