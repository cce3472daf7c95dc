"""Directions, Distance matrix and Trip, in the shapes that Goong documents."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.gate.sandbox.reading import ask, ask_json, refusal
from tests.gate.sandbox.test_geo import decode_polyline

ORIGIN, DESTINATION = "20.981971,105.864323", "21.031011,105.783206"
ROUTE = f"origin={ORIGIN}&destination={DESTINATION}"


def test_directions_lead_from_origin_to_destination() -> None:
    answer = ask_json("/Direction", ROUTE + "&vehicle=car")
    (route,) = answer["routes"]
    (leg,) = route["legs"]
    assert len(answer["geocoded_waypoints"]) == 2
    assert leg["start_location"] == {"lat": 20.981971, "lng": 105.864323}
    assert leg["end_location"] == {"lat": 21.031011, "lng": 105.783206}
    points = decode_polyline(route["overview_polyline"]["points"])
    assert points[0] == pytest.approx((20.98197, 105.86432))
    assert points[-1] == pytest.approx((21.03101, 105.78321))
    assert len(points) == len(leg["steps"]) + 1


def test_steps_join_and_sum_to_their_leg() -> None:
    leg = ask_json("/direction", ROUTE)["routes"][0]["legs"][0]
    steps = leg["steps"]
    for before, after in pairwise(steps):
        assert before["end_location"] == after["start_location"]
    for size in ("distance", "duration"):
        assert sum(step[size]["value"] for step in steps) == leg[size]["value"]
        assert leg[size]["text"]
    assert all(step["html_instructions"] and step["maneuver"] for step in steps)
    assert all(len(decode_polyline(step["polyline"]["points"])) == 2 for step in steps)


def test_alternatives_take_other_ways() -> None:
    routes = ask_json("/direction", ROUTE + "&alternatives=true")["routes"]
    assert len({route["overview_polyline"]["points"] for route in routes}) == 2


def test_each_destination_gets_a_leg() -> None:
    answer = ask_json("/direction", f"origin={ORIGIN}&destination={DESTINATION};21.02,105.8")
    legs = answer["routes"][0]["legs"]
    assert len(answer["geocoded_waypoints"]) == 3
    assert legs[0]["end_location"] == legs[1]["start_location"]


def test_slower_vehicle_takes_longer() -> None:
    legs = {
        vehicle: ask_json("/direction", f"{ROUTE}&vehicle={vehicle}")["routes"][0]["legs"][0]
        for vehicle in ("car", "hd")
    }
    assert legs["car"]["duration"]["value"] < legs["hd"]["duration"]["value"]
    assert legs["car"]["distance"] == legs["hd"]["distance"]


def test_matrix_has_a_row_for_each_origin_and_an_element_for_each_destination() -> None:
    query = f"origins={ORIGIN}|{DESTINATION}&destinations={DESTINATION}|21.0,105.8|{ORIGIN}"
    rows = ask_json("/DistanceMatrix", query)["rows"]
    assert [len(row["elements"]) for row in rows] == [3, 3]
    assert all(element["status"] == "OK" for row in rows for element in row["elements"])
    assert rows[1]["elements"][0]["distance"] == {"text": "0 m", "value": 0}
    assert rows[0]["elements"][0]["distance"]["value"] > 9_000
    assert rows[0]["elements"][0]["duration"]["value"] > 0


def test_trip_passes_all_waypoints() -> None:
    answer = ask_json("/trip", f"origin={ORIGIN}&waypoints=21.0,105.8;21.01,105.81&destination={DESTINATION}")
    assert answer["code"] == "Ok"
    assert [waypoint["location"] for waypoint in answer["waypoints"]] == [
        [105.864323, 20.981971],
        [105.8, 21.0],
        [105.81, 21.01],
        [105.783206, 21.031011],
    ]
    (trip,) = answer["trips"]
    assert len(trip["legs"]) == 3
    assert sum(leg["distance"] for leg in trip["legs"]) == trip["distance"]
    assert sum(leg["duration"] for leg in trip["legs"]) == trip["duration"]


def test_trip_needs_somewhere_to_go() -> None:
    assert refusal(ask("/trip", f"origin={ORIGIN}"))[2] == "The parameter 'destination' is required."


@pytest.mark.parametrize(
    "query",
    [
        f"origin={ORIGIN}",
        f"origin=here&destination={DESTINATION}",
        f"origin={ORIGIN};{ORIGIN}&destination={DESTINATION}",
        f"{ROUTE}&vehicle=boat",
        f"origin={ORIGIN}&destination=" + ";".join([DESTINATION] * 26),
    ],
)
def test_unreadable_journey_is_refused(query: str) -> None:
    assert refusal(ask("/direction", query))[:2] == (400, "INVALID_REQUEST")
