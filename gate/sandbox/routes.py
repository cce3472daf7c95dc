"""The routing side: Directions, Distance matrix and Trip."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from gate.sandbox.geo import LatLng, encode_polyline
from gate.sandbox.journeys import VEHICLES, Stretch, distance_text, duration_text, journey, path
from gate.sandbox.query import Query
from gate.sandbox.reply import SandboxAnswer, json_answer

STOP_LIMIT = 25
MATRIX_LIMIT = 25
VERBS = {"depart": "Đi thẳng", "left": "Rẽ trái", "right": "Rẽ phải"}


def directions(query: Query) -> SandboxAnswer:
    """`routes` with `legs` and `steps`; one leg to each of the `;`-separated destinations."""
    stops = [query.point("origin"), *query.points("destination", separator=";", limit=STOP_LIMIT)]
    vehicle = query.choice("vehicle", VEHICLES)
    variants = range(2 if query.flag("alternatives") else 1)
    return json_answer(
        {
            "geocoded_waypoints": [{"geocoder_status": "OK", "place_id": f"{s.lat},{s.lng}"} for s in stops],
            "routes": [_route(stops, vehicle=vehicle, variant=variant) for variant in variants],
            "status": "OK",
        }
    )


def distance_matrix(query: Query) -> SandboxAnswer:
    """`rows`, one for each origin; in each an element for every destination."""
    origins = query.points("origins", separator="|", limit=MATRIX_LIMIT)
    destinations = query.points("destinations", separator="|", limit=MATRIX_LIMIT)
    vehicle = query.choice("vehicle", VEHICLES)
    rows = [
        {"elements": [{"status": "OK", **_size(journey(a, b, vehicle=vehicle))} for b in destinations]} for a in origins
    ]
    return json_answer({"rows": rows, "status": "OK"})


def trip(query: Query) -> SandboxAnswer:
    """`trips` through all `waypoints`, in the order given; `code` is "Ok", as OSRM writes it."""
    stops = [
        query.point("origin"),
        *query.optional_points("waypoints", separator=";", limit=STOP_LIMIT),
        *query.optional_points("destination", separator=";", limit=1),
    ]
    vehicle = query.choice("vehicle", VEHICLES)
    if len(stops) == 1:
        query.required("destination")
    return json_answer({"code": "Ok", "trips": [_trip(stops, vehicle)], "waypoints": _waypoints(stops)})


def _route(stops: list[LatLng], *, vehicle: str, variant: int) -> dict[str, Any]:
    legs = _legs(stops, vehicle=vehicle, variant=variant)
    points = [point for leg in legs for point in path(leg)]
    return {
        "bounds": {},
        "legs": [_leg(leg) for leg in legs],
        "overview_polyline": {"points": encode_polyline(points)},
        "summary": legs[0][0].street,
        "warnings": [],
        "waypoint_order": [],
    }


def _legs(stops: list[LatLng], *, vehicle: str, variant: int = 0) -> list[list[Stretch]]:
    return [journey(here, there, vehicle=vehicle, variant=variant) for here, there in pairwise(stops)]


def _leg(stretches: list[Stretch]) -> dict[str, Any]:
    return {
        **_size(stretches),
        "start_address": "",
        "start_location": stretches[0].start.as_json(),
        "end_address": "",
        "end_location": stretches[-1].end.as_json(),
        "steps": [_step(stretch) for stretch in stretches],
    }


def _step(stretch: Stretch) -> dict[str, Any]:
    return {
        **_size([stretch]),
        "start_location": stretch.start.as_json(),
        "end_location": stretch.end.as_json(),
        "html_instructions": f"{VERBS[stretch.maneuver]} vào phố {stretch.street}",
        "maneuver": stretch.maneuver,
        "polyline": {"points": encode_polyline([stretch.start, stretch.end])},
        "travel_mode": "DRIVING",
    }


def _size(stretches: list[Stretch]) -> dict[str, Any]:
    """How far (metres) and how long (seconds), in Google's shape: a text for people, a value for programs."""
    metres = sum(stretch.length_m for stretch in stretches)
    seconds = sum(stretch.duration_s for stretch in stretches)
    return {
        "distance": {"text": distance_text(metres), "value": metres},
        "duration": {"text": duration_text(seconds), "value": seconds},
    }


def _trip(stops: list[LatLng], vehicle: str) -> dict[str, Any]:
    legs = _legs(stops, vehicle=vehicle)
    sizes = [(sum(s.length_m for s in leg), sum(s.duration_s for s in leg)) for leg in legs]
    return {
        "geometry": encode_polyline([point for leg in legs for point in path(leg)]),
        "distance": sum(metres for metres, _ in sizes),
        "duration": sum(seconds for _, seconds in sizes),
        "legs": [
            {"distance": metres, "duration": seconds, "summary": leg[0].street, "steps": []}
            for leg, (metres, seconds) in zip(legs, sizes, strict=True)
        ],
        "weight": sum(seconds for _, seconds in sizes),
        "weight_name": "duration",
    }


def _waypoints(stops: list[LatLng]) -> list[dict[str, Any]]:
    return [
        {
            "distance": 0,
            "location": [stop.lng, stop.lat],
            "place_id": "",
            "trips_index": 0,
            "waypoint_index": order,
        }
        for order, stop in enumerate(stops)
    ]
