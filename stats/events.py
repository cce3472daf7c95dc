"""The usage event: what the gate says of one request, and the only encoder and decoder of it. Pure.

A stream entry holds the events of one script call: field `t`, the store's clock in microseconds; `n`, how many
events of this shard came before; `e`, the events, one a line. A line is the outcome's number, a tab, and what
`encode_request` made. Only an allowed request has units and a cost, whatever the line offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from goongdash.lib.clock import from_epoch_us, to_epoch_us
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome

ORIGIN_MAX_LENGTH = 255


class EventUnreadable(ValueError):
    """A stream entry that no gate of ours wrote; `args[0]` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One request as the gate decided it. `service_id` is 0 where the path names no service."""

    at: datetime
    account_id: int
    key_id: int
    service_id: int
    outcome: Outcome
    units: int
    cost_micro_usd: int
    ip: str
    origin: str
    request_id: str


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """The decoded events of one entry, and how many events its shard had seen before it."""

    n_before: int
    events: tuple[UsageEvent, ...]


def encode_request(*, account_id: int, key_id: int, service_id: int, units: int, price_micro_usd: int) -> bytes:
    """The part of an event line that is the same for every request of a key to a service."""
    return b"%d\t%d\t%d\t%d\t%d\t" % (account_id, key_id, service_id, units, price_micro_usd)


def encode_caller(*, ip: str, origin: str, request_id: str) -> bytes:
    """The part of an event line that differs from request to request."""
    return f"{ip}\t{_one_line(origin)}\t{request_id}".encode()


def encode_entry(*, n_before: int, at: datetime, lines: list[tuple[Outcome, bytes]]) -> dict[Any, Any]:
    """The fields of a stream entry, as the gate's script writes them."""
    return {
        "t": to_epoch_us(at),
        "n": n_before,
        "e": b"\n".join(b"%d\t%s" % (OUTCOMES[outcome].number, request) for outcome, request in lines),
    }


def decode_entry(fields: Mapping[bytes, bytes]) -> StreamEntry:
    """The events of one stream entry, in the order of their decision. Raises EventUnreadable."""
    try:
        at = from_epoch_us(int(fields[b"t"]))
        events = tuple(_decode_line(line, at) for line in fields[b"e"].decode().split("\n"))
        return StreamEntry(int(fields[b"n"]), events)
    except (KeyError, ValueError) as error:
        raise EventUnreadable(f"{type(error).__name__}: {error}") from error


def _decode_line(line: str, at: datetime) -> UsageEvent:
    number, account_id, key_id, service_id, units, price, ip, origin, request_id = line.split("\t")
    outcome = BY_NUMBER[int(number)]
    is_billable = OUTCOMES[outcome].is_billable
    return UsageEvent(
        at=at,
        account_id=int(account_id),
        key_id=int(key_id),
        service_id=int(service_id),
        outcome=outcome,
        units=int(units) if is_billable else 0,
        cost_micro_usd=int(price) if is_billable else 0,
        ip=ip,
        origin=origin,
        request_id=request_id,
    )


def _one_line(text: str) -> str:
    return " ".join(text[:ORIGIN_MAX_LENGTH].split())
