"""Points, distances and encoded polylines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.sandbox.geo import LatLng, distance_m, encode_polyline, read_point

POINTS = st.lists(st.builds(LatLng, st.floats(-90, 90), st.floats(-180, 180)), max_size=20)


def decode_polyline(text: str) -> list[tuple[float, float]]:
    numbers, value, shift = [], 0, 0
    for character in text:
        chunk = ord(character) - 63
        value |= (chunk & 0x1F) << shift
        shift += 5
        if chunk < 0x20:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    points, lat, lng = [], 0, 0
    for north, east in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lng = lat + north, lng + east
        points.append((lat / 100_000, lng / 100_000))
    return points


def test_polyline_of_the_formats_own_example() -> None:
    points = [LatLng(38.5, -120.2), LatLng(40.7, -120.95), LatLng(43.252, -126.453)]
    assert encode_polyline(points) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@given(POINTS)
def test_polyline_keeps_five_decimals(points: list[LatLng]) -> None:
    decoded = decode_polyline(encode_polyline(points))
    assert len(decoded) == len(points)
    for before, after in zip(points, decoded, strict=True):
        assert after == pytest.approx(before, abs=0.000_006)


def test_one_degree_of_latitude_is_111_km() -> None:
    assert distance_m(LatLng(0, 0), LatLng(1, 0)) == pytest.approx(111_195, abs=1)


@given(POINTS.filter(lambda points: len(points) > 1))
def test_distance_is_the_same_both_ways(points: list[LatLng]) -> None:
    assert distance_m(points[0], points[1]) == distance_m(points[1], points[0])
    assert 0 <= distance_m(points[0], points[1]) <= 20_020_000


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "90.1,0", "0,180.1", "nan,0", "inf,0", "1," + "0" * 99])
def test_text_that_is_no_point(text: str) -> None:
    assert read_point(text) is None


def test_spaces_around_numbers_are_no_matter() -> None:
    assert read_point(" 21.5 , -105.5 ") == LatLng(21.5, -105.5)
