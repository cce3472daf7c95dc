"""What a key lives through, as callers see it at the gate: off and on, deleted and back, replaced."""

from __future__ import annotations

from keys.deletion import key_restore
from keys.services import key_revoke
from keys.switching import key_disable, key_enable
from tests.factories import make_key
from tests.gate.test_receipts import wait_until
from tests.processes import GateProcess


def test_gate_refuses_a_disabled_key_and_serves_it_when_it_is_enabled(gate: GateProcess) -> None:
    key = make_key()
    path = f"/Geocode?address=x&api_key={key.text}"
    assert gate.get(path).status_code == 200
    key_disable(key=key.key)
    wait_until(lambda: gate.get(path).json().get("code") == "KEY_INVALID")
    key_enable(key=key.key)
    wait_until(lambda: gate.get(path).status_code == 200)


def test_gate_serves_a_deleted_key_again_when_that_is_undone(gate: GateProcess) -> None:
    key = make_key()
    path = f"/Geocode?address=x&api_key={key.text}"
    assert gate.get(path).status_code == 200
    key_revoke(key=key.key)
    wait_until(lambda: gate.get(path).json().get("code") == "KEY_INVALID")
    key_restore(key=key.key)
    wait_until(lambda: gate.get(path).status_code == 200)
