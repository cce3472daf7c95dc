"""The lattice of street corners: the same corners at every scale, and none that change places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gate.sandbox.lattice import cell_ring, cells_around, centre, corner, level_of

LEVELS, INDEXES = st.integers(0, 17), st.integers(0, 2**17)


@given(LEVELS, INDEXES, INDEXES)
def test_corner_is_still_there_in_the_next_level(level: int, i: int, j: int) -> None:
    assert corner(level + 1, 2 * i, 2 * j) == corner(level, i, j)


@given(st.integers(14, 17), INDEXES, INDEXES)
def test_cells_are_never_turned_inside_out(level: int, i: int, j: int) -> None:
    ring = cell_ring(level, i, j)
    twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
    assert twice_area > 0


@given(st.integers(0, 17), st.integers(-4, 2**17), st.integers(-4, 2**17))
def test_cell_is_found_where_it_lies(level: int, i: int, j: int) -> None:
    columns, rows = cells_around(level, [centre(cell_ring(level, i, j))])
    assert i in columns
    assert j in rows
    assert len(columns) < 12 and len(rows) < 12


def test_level_of_a_line_is_the_coarsest_that_has_it() -> None:
    assert [level_of(3, index) for index in range(9)] == [0, 3, 2, 3, 1, 3, 2, 3, 0]
