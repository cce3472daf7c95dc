"""Plays the gates' part of a receipt: writes entries and confirmations as `gate/presence.py` does."""

from __future__ import annotations

from accounts.gates import GateEntry, gates_key, store_now_us
from accounts.receipts import receipt_key
from stats.stream import redis_client


def gate_runs(gate_id: str, *, ttl_s: int = 30, ago_s: float = 0.0) -> GateEntry:
    """A gate last seen `ago_s` seconds ago."""
    seen_us = store_now_us() - int(ago_s * 1_000_000)
    gate = GateEntry(gate_id, "gate-host", int(gate_id, 36), ttl_s, started_us=seen_us, seen_us=seen_us)
    redis_client().hset(gates_key(), gate_id, gate.encode())
    return gate


def gate_stops(gate_id: str) -> None:
    redis_client().hdel(gates_key(), gate_id)


def gate_confirms(gate_id: str, digest: str) -> None:
    redis_client().hsetnx(receipt_key(digest), f"done:{gate_id}", str(store_now_us()))
