"""Each row of the outcome table, produced by real requests to a running gate."""

from __future__ import annotations

import pytest

from keys.services import key_revoke
from tests.factories import make_key
from tests.processes import GateProcess


def test_allowed_request_is_answered_by_the_sandbox(gate: GateProcess) -> None:
    key = make_key()
    answer = gate.get(f"/Geocode?address=Hanoi&api_key={key.text}")
    assert answer.status_code == 200
    assert answer.json()["status"] == "OK"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("", 403, "KEY_MISSING"), ("api_key=gr_nope", 403, "KEY_INVALID"), ("api_key=" + "x" * 40, 403, "KEY_INVALID")],
)
def test_no_key_and_unknown_key_are_refused(gate: GateProcess, query: str, status: int, code: str) -> None:
    answer = gate.get(f"/Geocode?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_revoked_key_is_refused_at_once(gate: GateProcess) -> None:
    key = make_key()
    assert gate.get(f"/geocode?latlng=21,105&api_key={key.text}").status_code == 200
    key_revoke(key=key.key)
    answer = gate.get(f"/geocode?latlng=21,105&api_key={key.text}")
    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_INVALID")
