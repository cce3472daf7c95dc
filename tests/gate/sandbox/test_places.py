"""Autocomplete, Place detail, Place children and Geocode, in the shapes that Goong documents."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.gate.sandbox.reading import ask, ask_json, refusal


def test_autocomplete_echoes_the_input() -> None:
    answer = ask_json("/Place/AutoComplete", "input=91%20Trung%20K%C3%ADnh&api_key=K")
    assert answer["status"] == "OK"
    first = answer["predictions"][0]
    assert first["description"].startswith("91 Trung Kính, ")
    assert first["structured_formatting"]["main_text"] == "91 Trung Kính"
    assert first["structured_formatting"]["secondary_text"].endswith("Hà Nội")
    assert "compound" not in first


def test_autocomplete_gives_as_many_as_asked_for() -> None:
    assert len(ask_json("/place/autocomplete", "input=a")["predictions"]) == 5
    assert len(ask_json("/place/autocomplete", "input=a&limit=2")["predictions"]) == 2


def test_autocomplete_gives_the_compound_on_request() -> None:
    predictions = ask_json("/place/autocomplete", "input=a&more_compound=true")["predictions"]
    assert all(set(p["compound"]) == {"district", "commune", "province"} for p in predictions)


def test_predictions_lie_near_the_given_location() -> None:
    predictions = ask_json("/place/autocomplete", "input=a&location=10.77,106.69")["predictions"]
    assert all(prediction["distance_meters"] < 5_000 for prediction in predictions)
    detail = ask_json("/place/detail", urlencode({"place_id": predictions[0]["place_id"]}))
    assert detail["result"]["geometry"]["location"]["lat"] == pytest.approx(10.77, abs=0.03)


@pytest.mark.parametrize("name", ["place_id", "placeid"])
def test_detail_of_a_prediction_names_the_same_place(name: str) -> None:
    prediction = ask_json("/place/autocomplete", "input=Hồ Gươm")["predictions"][1]
    answer = ask_json("/Place/Detail", urlencode({name: prediction["place_id"]}))
    assert answer["status"] == "OK"
    assert answer["result"]["name"] == prediction["structured_formatting"]["main_text"]
    assert answer["result"]["formatted_address"] == prediction["description"]
    assert answer["result"]["place_id"] == prediction["place_id"]


def test_detail_of_a_foreign_place_id_is_some_place() -> None:
    result = ask_json("/place/detail", "placeid=0WmA4vbeody2J9AEvVM9YE3ZN85z7Mrw")["result"]
    assert result["name"]
    assert set(result["geometry"]["location"]) == {"lat", "lng"}


def test_damaged_place_id_is_refused() -> None:
    assert refusal(ask("/place/detail", "placeid=sandbox.!!!"))[:2] == (400, "INVALID_REQUEST")


def test_children_belong_to_their_parent() -> None:
    parent = ask_json("/place/autocomplete", "input=Ga")["predictions"][0]
    answer = ask_json("/v2/place/children", urlencode({"parent_id": parent["place_id"]}))
    assert all(child["structured_formatting"]["main_text"].startswith("Ga - ") for child in answer["predictions"])


def test_geocode_by_address_echoes_it() -> None:
    answer = ask_json("/Geocode", "address=91 Trung Kính")
    assert answer["status"] == "OK"
    (result,) = answer["results"]
    assert result["formatted_address"].startswith("91 Trung Kính, ")
    assert set(result["geometry"]["location"]) == {"lat", "lng"}
    assert result["place_id"]


def test_geocode_by_point_answers_with_that_point_first() -> None:
    results = ask_json("/Geocode", "latlng=21.0137443130001%2C105.798346108")["results"]
    assert results[0]["geometry"]["location"] == {"lat": 21.0137443130001, "lng": 105.798346}
    assert len({result["place_id"] for result in results}) == len(results)


def test_geocode_by_place_id() -> None:
    assert ask_json("/geocode", "place_id=abc")["results"][0]["name"]


@pytest.mark.parametrize(
    "query",
    ["input=a&limit=0", "input=a&limit=ten", "input=a&limit=51", "input=a&location=here", "input=a&location=91,0"],
)
def test_unreadable_parameter_is_refused(query: str) -> None:
    assert refusal(ask("/place/autocomplete", query))[:2] == (400, "INVALID_REQUEST")


def test_same_question_gets_the_same_bytes() -> None:
    assert ask("/geocode", "address=a") == ask("/geocode", "address=a")
    assert ask("/geocode", "address=a") != ask("/geocode", "address=b")
