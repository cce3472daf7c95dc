"""Made-up journeys: a path of streets between two points, its length and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from gate.sandbox import chance
from gate.sandbox.geo import LatLng, distance_m

SPEED_M_PER_S = {"car": 9.0, "bike": 8.0, "taxi": 9.0, "truck": 7.0, "truct": 7.0, "hd": 6.0}
VEHICLES = tuple(SPEED_M_PER_S)
STREETS = ("Hoa Sữa", "Bằng Lăng", "Hàng Mẫu", "Bình Minh", "Cây Đa", "Hồ Sen", "Trúc Xanh", "Hướng Dương")


@dataclass(frozen=True, slots=True)
class Stretch:
    """One straight piece of a journey, along one street."""

    start: LatLng
    end: LatLng
    street: str
    maneuver: str
    vehicle: str

    @property
    def length_m(self) -> int:
        return round(distance_m(self.start, self.end))

    @property
    def duration_s(self) -> int:
        return round(self.length_m / SPEED_M_PER_S[self.vehicle])


def journey(start: LatLng, end: LatLng, *, vehicle: str, variant: int = 0) -> list[Stretch]:
    """The stretches from start to end, in order: blocks of a city that is turned a little, five of them."""
    corners = _corners(start, end, variant)
    names = [chance.pick(STREETS, "street", variant, corner) for corner in corners]
    maneuvers = ["depart", *("left" if step % 2 else "right" for step in range(1, len(corners) - 1))]
    return [
        Stretch(here, there, street, maneuver, vehicle)
        for here, there, street, maneuver in zip(corners, corners[1:], names, maneuvers, strict=False)
    ]


def _corners(start: LatLng, end: LatLng, variant: int) -> list[LatLng]:
    """Corners of a staircase between the points; a variant takes its first turn elsewhere."""
    first, second = (0.45, 0.7) if variant % 2 else (0.3, 0.6)
    north, east = end.lat - start.lat, end.lng - start.lng
    staircase = [(0.05, first), (first, first + 0.05), (first + 0.05, second), (0.95, second + 0.1)]
    if variant % 2:
        staircase = [(east_share, north_share) for north_share, east_share in staircase]
    return [start, *(_rounded(start.lat + n * north, start.lng + e * east) for n, e in staircase), end]


def _rounded(lat: float, lng: float) -> LatLng:
    return LatLng(round(lat, 6), round(lng, 6))


def path(stretches: list[Stretch]) -> list[LatLng]:
    return [stretches[0].start, *(stretch.end for stretch in stretches)]


def distance_text(metres: int) -> str:
    return f"{metres} m" if metres < 1000 else f"{metres / 1000:.1f} km"


def duration_text(seconds: int) -> str:
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return f"{hours} giờ {minutes} phút" if hours else f"{minutes} phút"
