"""Receipts of the end of a key: which gates ran when it was deleted or disabled, and when each confirmed it.

One Redis hash for each such key, kept for some days: `asked`, `gate:<id>` (the gate's entry at that instant) and
`done:<id>` (when it had dropped the key; written by the gate). Only gates that ran when they were asked count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings

from accounts.gates import GateEntry, gates_known, store_now_us
from accounts.store import redis_client
from goongdash.lib.clock import from_epoch_us

KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A gate that was asked, and when it confirmed; `is_running` says whether an answer can still be expected."""

    gate: GateEntry
    confirmed_at: datetime | None
    is_running: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the gates said of a key's end. A gate that has died without confirming does not count."""

    asked_at: datetime
    confirmations: tuple[Confirmation, ...]

    @property
    def confirmed(self) -> list[Confirmation]:
        return [each for each in self.confirmations if each.confirmed_at is not None]

    @property
    def missing(self) -> list[Confirmation]:
        """Those that run and have not confirmed."""
        return [each for each in self.confirmations if each.confirmed_at is None and each.is_running]

    @property
    def gone(self) -> list[Confirmation]:
        """Those that have not been seen for a while, and had not confirmed."""
        return [each for each in self.confirmations if each.confirmed_at is None and not each.is_running]

    @property
    def n_counted(self) -> int:
        return len(self.confirmed) + len(self.missing)

    @property
    def confirmed_at(self) -> datetime | None:
        """When the last of those that confirmed did so."""
        return max((each.confirmed_at for each in self.confirmations if each.confirmed_at), default=None)

    @property
    def taken_ms(self) -> float | None:
        """From the question to the last confirmation."""
        return None if self.confirmed_at is None else (self.confirmed_at - self.asked_at) / timedelta(milliseconds=1)

    @property
    def forced_at(self) -> datetime:
        """From when on no gate that was asked can remember the key, whether or not it heard of its end."""
        ttl_s = max((each.gate.ttl_s for each in self.confirmations), default=0)
        return self.asked_at + timedelta(seconds=ttl_s)


def receipt_key(digest: str) -> str:
    return f"{settings.REDIS_PREFIX}:receipt:{digest}"


def receipts_key() -> str:
    """A sorted set of the digests with a receipt, by the time they were asked for, in microseconds."""
    return f"{settings.REDIS_PREFIX}:receipts"


def receipt_open(digest: str) -> None:
    """Begins the receipt of a key, in the place of one from before. Raises redis.RedisError."""
    now_us = store_now_us()
    running = [gate for gate in gates_known().values() if gate.is_running(now_us)]
    pipe, name = redis_client().pipeline(transaction=True), receipt_key(digest)
    pipe.delete(name)
    pipe.hset(name, mapping={"asked": now_us, **{f"gate:{gate.id}": gate.encode() for gate in running}})
    pipe.expire(name, KEPT)
    pipe.zadd(receipts_key(), {digest: now_us})
    pipe.zremrangebyscore(receipts_key(), 0, now_us - KEPT / timedelta(microseconds=1))
    pipe.execute()


def receipt_read(digest: str) -> Receipt | None:
    """The receipt of a key; None where none was asked for, or too long ago. Raises redis.RedisError."""
    fields = cast("dict[bytes, bytes]", redis_client().hgetall(receipt_key(digest)))
    if b"asked" not in fields:
        return None
    now_us, known = store_now_us(), gates_known()
    asked = sorted(
        (GateEntry.decode(text) for name, text in fields.items() if name.startswith(b"gate:")),
        key=lambda gate: (gate.host, gate.pid),
    )
    return Receipt(
        from_epoch_us(int(fields[b"asked"])),
        tuple(
            Confirmation(
                known.get(gate.id, gate),
                None if (done := fields.get(b"done:" + gate.id.encode())) is None else from_epoch_us(int(done)),
                is_running=gate.id in known and known[gate.id].is_running(now_us),
            )
            for gate in asked
        ),
    )
