"""The search side: Autocomplete, Place detail, Place children and Geocode, with made-up places."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from gate.sandbox import chance
from gate.sandbox.geo import LatLng, distance_m
from gate.sandbox.query import BadParameter, Query
from gate.sandbox.reply import SandboxAnswer, json_answer

CENTRE = LatLng(21.0278, 105.8342)
ID_PREFIX = "sandbox."
NAME_LIMIT = 120
DISTRICTS = (
    "Hoàn Kiếm",
    "Ba Đình",
    "Đống Đa",
    "Cầu Giấy",
    "Hai Bà Trưng",
    "Tây Hồ",
    "Thanh Xuân",
    "Long Biên",
)
BRANCHES = (
    "",
    "Cơ sở 2",
    "Tầng trệt",
    "Cổng chính",
    "Bãi đỗ xe",
    "Lối vào phía Đông",
    "Toà nhà A",
    "Toà nhà B",
)
CHILDREN = ("Cổng chính", "Cổng sau", "Bãi đỗ xe")


def autocomplete(query: Query) -> SandboxAnswer:
    """`predictions`, the first of which echoes the input."""
    text = query.required("input")[:NAME_LIMIT]
    limit = query.integer("limit", default=5, low=1, high=50)
    near = (query.optional_points("location", separator=";", limit=1) or [CENTRE])[0]
    with_compound = query.flag("more_compound")
    names = [f"{text} - {branch}" if branch else text for branch in BRANCHES[:limit]]
    predictions = [_prediction(name, near=near, with_compound=with_compound) for name in names]
    return json_answer({"predictions": predictions, "executed_time": 1, "status": "OK"})


def place_detail(query: Query) -> SandboxAnswer:
    """`result`, one place. Goong's SDK says `placeid`, the documentation `place_id`."""
    name, near = _read_place_id(query.required("place_id", "placeid"))
    return json_answer({"result": _place(name, near=near), "status": "OK"})


def place_children(query: Query) -> SandboxAnswer:
    """`predictions`, the parts of a place: gates and car parks."""
    name, near = _read_place_id(query.required("parent_id"))
    children = [_prediction(f"{name} - {child}", near=near, with_compound=False) for child in CHILDREN]
    return json_answer({"predictions": children, "status": "OK"})


def geocode(query: Query) -> SandboxAnswer:
    """`results` for an `address`, a `latlng` or a `place_id`, whichever is there first."""
    if address := query.get("address"):
        places = [_place(address[:NAME_LIMIT], near=CENTRE)]
    elif query.get("latlng"):
        places = _places_at(query.point("latlng"))
    elif place_id := query.get("place_id", "placeid"):
        name, near = _read_place_id(place_id)
        places = [_place(name, near=near)]
    else:
        raise BadParameter("One of the parameters 'address', 'latlng' and 'place_id' is required.")
    return json_answer({"plus_code": {}, "results": places, "status": "OK"})


def _prediction(name: str, *, near: LatLng, with_compound: bool) -> dict[str, Any]:
    district = chance.pick(DISTRICTS, "district", name)
    prediction: dict[str, Any] = {
        "description": f"{name}, {district}, Hà Nội",
        "place_id": _place_id(name, near),
        "reference": _place_id(name, near),
        "matched_substrings": [{"length": len(name), "offset": 0}],
        "structured_formatting": {
            "main_text": name,
            "main_text_matched_substrings": [{"length": len(name), "offset": 0}],
            "secondary_text": f"{district}, Hà Nội",
        },
        "terms": [{"offset": 0, "value": name}],
        "has_children": False,
        "types": ["place"],
        "distance_meters": round(distance_m(near, _location(name, near))),
    }
    if with_compound:
        prediction["compound"] = _compound(district)
    return prediction


def _place(name: str, *, near: LatLng, at: LatLng | None = None) -> dict[str, Any]:
    district = chance.pick(DISTRICTS, "district", name)
    return {
        "place_id": _place_id(name, near),
        "reference": _place_id(name, near),
        "name": name,
        "formatted_address": f"{name}, {district}, Hà Nội",
        "address": f"{name}, {district}, Hà Nội",
        "address_components": [{"long_name": part, "short_name": part} for part in (name, district, "Hà Nội")],
        "geometry": {"location": (at or _location(name, near)).as_json(), "boundary": None},
        "compound": _compound(district),
        "plus_code": {"compound_code": "", "global_code": ""},
        "types": ["place"],
        "url": "",
    }


def _places_at(point: LatLng) -> list[dict[str, Any]]:
    house = chance.number("house", point) % 200 + 1
    return [
        _place(f"{number} Phố Mẫu", near=point, at=LatLng(point.lat, round(point.lng + step / 10_000, 6)))
        for step, number in enumerate((house, house + 2, house + 4))
    ]


def _compound(district: str) -> dict[str, str]:
    return {"district": district, "commune": "Phường Mẫu", "province": "Hà Nội"}


def _location(name: str, near: LatLng) -> LatLng:
    """Some point within about two kilometres of `near`."""
    north, east = (chance.fraction(axis, name) / 25 - 0.02 for axis in ("north", "east"))
    return LatLng(round(min(90.0, max(-90.0, near.lat + north)), 6), round(min(180.0, max(-180.0, near.lng + east)), 6))


def _place_id(name: str, near: LatLng) -> str:
    text = f"{near.lat:.4f},{near.lng:.4f},{name}".encode("utf-8", "replace")
    return ID_PREFIX + base64.urlsafe_b64encode(text).decode().rstrip("=")


def _read_place_id(text: str) -> tuple[str, LatLng]:
    """Name and neighbourhood of a place. An id that the sandbox did not issue names a place as well."""
    encoded = text.removeprefix(ID_PREFIX)
    if encoded == text:
        return f"Địa điểm {chance.number(text) % 1000}", CENTRE
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        lat, lng, name = base64.urlsafe_b64decode(padded.encode("ascii")).decode().split(",", 2)
        near = LatLng(float(lat), float(lng))
    except (ValueError, binascii.Error):
        raise BadParameter("The place id is damaged.") from None
    if not (-90 <= near.lat <= 90 and -180 <= near.lng <= 180):
        raise BadParameter("The place id is damaged.")
    return name[: 2 * NAME_LIMIT], near
