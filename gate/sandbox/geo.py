"""Points on the globe: reading them, the distance between them, Google's encoded polyline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

EARTH_RADIUS_M = 6_371_008.8


class LatLng(NamedTuple):
    """A point, degrees north and degrees east."""

    lat: float
    lng: float

    def as_json(self) -> dict[str, float]:
        return {"lat": self.lat, "lng": self.lng}


def read_point(text: str) -> LatLng | None:
    """The point that `lat,lng` names, or None where the text is no point on the globe."""
    if len(text) > 80:
        return None
    try:
        lat, lng = (float(part) for part in text.split(","))
    except ValueError:
        return None
    # Not-a-number fails both comparisons, which is what is wanted.
    return LatLng(lat, lng) if -90 <= lat <= 90 and -180 <= lng <= 180 else None


def distance_m(start: LatLng, end: LatLng) -> float:
    """Great-circle distance in metres, by the haversine formula."""
    north = math.radians(end.lat - start.lat) / 2
    east = math.radians(end.lng - start.lng) / 2
    across = math.cos(math.radians(start.lat)) * math.cos(math.radians(end.lat))
    chord = math.sin(north) ** 2 + across * math.sin(east) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def encode_polyline(points: Sequence[LatLng]) -> str:
    """The points in Google's Encoded Polyline Algorithm Format, at five decimals."""
    text: list[str] = []
    previous = (0, 0)
    for point in points:
        current = (round(point.lat * 100_000), round(point.lng * 100_000))
        text += (_encode_number(now - before) for now, before in zip(current, previous, strict=True))
        previous = current
    return "".join(text)


def _encode_number(number: int) -> str:
    rest = ~(number << 1) if number < 0 else number << 1
    characters = []
    while rest >= 0x20:
        characters.append(chr((0x20 | (rest & 0x1F)) + 63))
        rest >>= 5
    characters.append(chr(rest + 63))
    return "".join(characters)
