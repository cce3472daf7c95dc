"""Cutting lines and polygons to a square."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gate.sandbox.clipping import clip_line, clip_ring

POINTS = st.tuples(st.integers(-30, 30), st.integers(-30, 30)).map(lambda point: (float(point[0]), float(point[1])))


def test_line_is_cut_at_both_sides() -> None:
    assert clip_line([(-10, 5), (20, 5)], 0, 10) == [[(0, 5), (10, 5)]]


def test_line_that_leaves_and_returns_gives_two_parts() -> None:
    assert clip_line([(5, 5), (15, 5), (15, 8), (5, 8)], 0, 10) == [[(5, 5), (10, 5)], [(10, 8), (5, 8)]]


def test_line_inside_stays_as_it_is() -> None:
    line = [(1.0, 1.0), (5.0, 9.0), (9.0, 1.0)]
    assert clip_line(line, 0, 10) == [line]


def test_line_outside_is_gone() -> None:
    assert clip_line([(-5, 20), (15, 20)], 0, 10) == []
    assert clip_line([(-5, 8), (4, 20)], 0, 10) == []


def test_ring_is_cut_to_the_square() -> None:
    ring = clip_ring([(5, 5), (15, 5), (15, 15), (5, 15)], 0, 10)
    assert set(ring) == {(5, 5), (10, 5), (10, 10), (5, 10)}


def test_ring_around_the_square_becomes_the_square() -> None:
    ring = clip_ring([(-5, -5), (15, -5), (15, 15), (-5, 15)], 0, 10)
    assert set(ring) == {(0, 0), (10, 0), (10, 10), (0, 10)}


@given(st.lists(POINTS, min_size=2, max_size=8))
def test_nothing_is_left_outside(points: list[tuple[float, float]]) -> None:
    left = [point for part in clip_line(points, 0, 10) for point in part] + clip_ring(points, 0, 10)
    assert all(-1e-9 <= value <= 10 + 1e-9 for point in left for value in point)
