"""What a key lives through, as callers see it at the gate: off and on, deleted and back, replaced."""

from __future__ import annotations

from datetime import timedelta

from goongdash.lib.clock import utc_now
from keys.deletion import key_restore
from keys.limits import KeyLimits
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import key_revoke
from keys.switching import key_disable, key_enable
from tests.factories import make_event, make_key
from tests.gate.test_receipts import wait_until
from tests.processes import GateProcess
from tests.road import store


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


def test_old_and_new_key_work_in_the_overlap_and_share_the_day(gate: GateProcess) -> None:
    created = make_key(limits=KeyLimits(requests_per_day=4))
    old = f"/Geocode?address=x&api_key={created.text}"
    assert gate.get(old).status_code == 200
    rotated = key_rotate(key=created.key, overlap=Overlap.HOUR)
    new = f"/Geocode?address=x&api_key={rotated.text}"
    assert [gate.get(path).status_code for path in (new, old, new)] == [200, 200, 200]
    for path in (old, new):
        answer = gate.get(path)
        assert (answer.status_code, answer.json()["code"]) == (429, "DAILY_QUOTA")


def test_lineage_shares_what_the_rollups_know_when_the_store_was_emptied(gate: GateProcess) -> None:
    created = make_key(limits=KeyLimits(requests_per_day=3))
    rotated = key_rotate(key=created.key, overlap=Overlap.HOUR)
    store(*(make_event(created, at=utc_now()) for _ in range(2)))
    paths = [f"/Geocode?address=x&api_key={text}" for text in (rotated.text, created.text)]
    assert [gate.get(path).status_code for path in paths] == [200, 429]


def test_old_key_ends_on_the_instant_without_any_task(gate: GateProcess) -> None:
    created = make_key(expires_at=utc_now() + timedelta(seconds=3))
    rotated = key_rotate(key=created.key, overlap=Overlap.WEEK)
    old = f"/Geocode?address=x&api_key={created.text}"
    assert gate.get(old).status_code == 200
    wait_until(lambda: gate.get(old).json().get("code") == "KEY_INVALID")
    assert utc_now() >= rotated.rotation.ends_at
