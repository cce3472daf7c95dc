"""What the counting script must know of a key and a service, packed; and its answer, unpacked. Pure.

The layout is the one that `count.lua` reads; both name the fields in the same order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from gate.snapshot import KeySnapshot, ServiceFacts
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome

NO_LIMIT = 0xFFFF_FFFF
MAP_PART_RATE_LIMIT = 500
MAP_PART_WINDOW_MS = 1_000

_SPEC = struct.Struct(">BBQQIIIIQIQIQIIIIQ")
_VERDICT = struct.Struct(">BIIII")
_CLOCK = struct.Struct(">Q")


class Kind(IntEnum):
    """What a request counts as."""

    RECORD_ONLY = 0
    REQUEST = 1
    MAP_LOAD = 2
    MAP_PART = 3


class Verdict(NamedTuple):
    """What the script decided. `left_*` is None where there is no such limit; `now_us` is the store's clock."""

    outcome: Outcome
    left_rate: int | None
    wait_us: int
    left_day: int | None
    left_month: int | None
    now_us: int


_KINDS = {"request": Kind.REQUEST, "map_load": Kind.MAP_LOAD, "none": Kind.MAP_PART}


def kind_of(key: KeySnapshot, service: ServiceFacts | None) -> Kind:
    """What a request of `key` to `service` counts as; to none, what most requests of its type count as."""
    if service is None:
        return Kind.REQUEST if key.type == "rest" else Kind.MAP_LOAD
    return _KINDS[service.unit]


def pack_spec(key: KeySnapshot, service: ServiceFacts | None, refused: Outcome | None) -> bytes:
    """The spec of a request of `key` to `service`; with `refused`, it is only recorded, with that outcome."""
    kind = kind_of(key, service)
    if refused is not None and not is_told_limits(refused):
        kind = Kind.RECORD_ONLY
    is_part = kind is Kind.MAP_PART
    month_limit = key.map_loads_per_month if kind is Kind.MAP_LOAD else key.requests_per_month
    used = key.used
    return _SPEC.pack(
        kind,
        OUTCOMES[refused].number if refused else 0,
        key.account_id,
        key.key_id,
        MAP_PART_RATE_LIMIT if is_part else key.rate_limit,
        MAP_PART_WINDOW_MS if is_part else key.rate_window_s * 1_000,
        NO_LIMIT if key.requests_per_day is None else key.requests_per_day,
        NO_LIMIT if month_limit is None else month_limit,
        0 if service is None else key.prices.get(service.id, 0),
        key.credit.month,
        key.credit.allowance_micro_usd,
        key.credit.next_month,
        key.credit.next_allowance_micro_usd,
        used.day,
        used.n_key_today,
        used.month,
        used.n_map_loads if kind is Kind.MAP_LOAD else used.n_requests,
        used.spent_micro_usd,
    )


def is_told_limits(outcome: Outcome) -> bool:
    """Whether an answer may name the key's limits: not where it would tell that a dead key once lived."""
    return OUTCOMES[outcome].code != "KEY_INVALID"


def unpack_verdicts(answer: bytes) -> Iterator[Verdict]:
    """The verdicts of one script call, in the order of its requests."""
    (now_us,) = _CLOCK.unpack_from(answer)
    for number, left_rate, wait_us, left_day, left_month in _VERDICT.iter_unpack(answer[_CLOCK.size :]):
        yield Verdict(
            BY_NUMBER[number],
            None if left_rate == NO_LIMIT else left_rate,
            wait_us,
            None if left_day == NO_LIMIT else left_day,
            None if left_month == NO_LIMIT else left_month,
            now_us,
        )
