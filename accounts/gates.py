"""The gates that run: each has an entry in one Redis hash, by its id, and renews it every few seconds.

All instants are Redis's own, so that machines need not agree on the time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from django.conf import settings

from accounts.store import redis_client
from goongdash.lib.clock import from_epoch_us

BEAT_S = 5.0
# Three beats missed: it is stopped, dead, or cut off.
GONE_AFTER_S = 15


@dataclass(frozen=True, slots=True)
class GateEntry:
    """One gate process: where and since when it runs, and for how many seconds it may believe what it remembers."""

    id: str
    host: str
    pid: int
    ttl_s: int
    started_us: int
    seen_us: int

    @classmethod
    def decode(cls, text: bytes | str) -> GateEntry:
        return cls(**json.loads(text))

    def encode(self) -> str:
        return json.dumps(asdict(self))

    def is_running(self, now_us: int) -> bool:
        return now_us - self.seen_us < GONE_AFTER_S * 1_000_000

    @property
    def seen_at(self) -> datetime:
        return from_epoch_us(self.seen_us)

    def __str__(self) -> str:
        return f"{self.host}, process {self.pid}"


def gates_key() -> str:
    return f"{settings.REDIS_PREFIX}:gates"


def gates_known() -> dict[str, GateEntry]:
    """Every gate that has an entry, running or gone, by its id. Raises redis.RedisError."""
    entries = cast("dict[bytes, bytes]", redis_client().hgetall(gates_key()))
    return {gate_id.decode(): GateEntry.decode(text) for gate_id, text in entries.items()}


def store_now_us() -> int:
    """Redis's time, in microseconds since 1970. Raises redis.RedisError."""
    seconds, micros = redis_client().time()
    return seconds * 1_000_000 + micros
