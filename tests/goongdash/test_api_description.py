"""The usage API's OpenAPI document: open, complete, and what the answers hold to."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Membership, Role
from stats.outcomes import Outcome
from tests.api import PATHS, ask, token_of, told
from tests.factories import make_event, make_key
from tests.road import store


@pytest.fixture
def owner(alice: Account) -> Membership:
    return alice.memberships.get(role=Role.OWNER)


def test_description_is_open_and_names_every_path() -> None:
    body = told(ask("openapi.json"))
    assert sorted(body["paths"]) == [f"/api/v1/{path}" for path in sorted(PATHS)]
    for path in body["paths"].values():
        assert list(path) == ["get"]
        assert {"200", "401", "403", "404", "422", "429"} <= set(path["get"]["responses"])
        assert path["get"]["security"]


def test_answers_hold_to_their_description(alice: Account, owner: Membership) -> None:
    key = make_key(alice)
    store(make_event(key), make_event(key, "trip", outcome=Outcome.DAILY_QUOTA))
    token, description = token_of(owner), told(ask("openapi.json"))
    for url, operations in description["paths"].items():
        operation = operations["get"]
        queries: list[tuple[dict[str, str], int]] = [({}, 200), ({"nothing": "like it"}, 422)]
        for query, status in queries:
            answer = Client().get(url, query, headers={"Authorization": f"Bearer {token}"})
            schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
            check(told(answer, status), schema, description)


def test_every_parameter_of_the_description_is_heard(owner: Membership) -> None:
    token = token_of(owner)
    for url, operations in told(ask("openapi.json"))["paths"].items():
        for parameter in operations["get"]["parameters"]:
            answer = Client().get(url, {parameter["name"]: "nonsense"}, headers={"Authorization": f"Bearer {token}"})
            heard = parameter["name"] == "origin"  # Any text is one.
            body = told(answer, 200 if heard else answer.status_code)
            assert heard or parameter["name"] in {"from", "to"} or answer.status_code in {404, 422}, parameter
            assert "There is no parameter" not in body.get("message", "")


def check(value: Any, schema: dict[str, Any], description: dict[str, Any]) -> None:
    """The value is as the schema says, with every property and no other."""
    if "$ref" in schema:
        return check(value, description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], description)
    if "anyOf" in schema:
        fitting = [each for each in schema["anyOf"] if (each.get("type") == "null") == (value is None)]
        assert fitting, (value, schema)
        return check(value, fitting[0], description)
    if "enum" in schema:
        assert value in schema["enum"]
    kinds: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    fits: bool = type(value) is kinds[schema["type"]]
    assert fits, (value, schema)
    if schema["type"] == "object" and "properties" in schema:
        assert value.keys() == schema["properties"].keys()
        for name, inner in schema["properties"].items():
            check(value[name], inner, description)
    for each in value if schema["type"] == "array" else ():
        check(each, schema["items"], description)


def test_operations_are_named_once() -> None:
    paths = told(ask("openapi.json"))["paths"]
    names = {operations["get"]["operationId"] for operations in paths.values()}
    assert len(names) == len(PATHS)
