"""What spooled requests used of days, months and credit: kept beside their events, added to the counters later. Pure.

The layout is the one that `replay.lua` reads; both name the fields in the same order. It is independent of the
counting script's, so that a file which an older gate has left is understood.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from gate.local_limits import Asked, Decided
from gate.specs import Kind
from gate.today import Today

_CHARGE = struct.Struct(">BQQIQIIQQQQ")
CHARGE_BYTES = _CHARGE.size


class Counted(IntEnum):
    """Which counters a charge adds to; the first two are numbered as the kinds of requests are."""

    REQUEST = Kind.REQUEST
    MAP_LOAD = Kind.MAP_LOAD
    KEY_MONTH = 4
    UNITS = 5


class Charge(NamedTuple):
    """`n` requests of a key in one day: all of a kind, `spent_micro_usd` together. `key_id` is whose counter it is.

    The bases are what the rollups said: where a counter begins that the store does not have. Of KEY_MONTH, which a
    key with limits of its own has besides, they are the key's. UNITS are those charged of a service whose price has
    tiers: its id stands for the key's, and the base of requests is that of units.
    """

    kind: int
    account_id: int
    key_id: int
    n: int
    spent_micro_usd: int
    day: int
    month: int
    base_day: int
    base_requests: int
    base_map_loads: int
    base_spent_micro_usd: int


def charges_of(asked: Iterable[Asked], decided: Iterable[Decided], today: Today) -> list[Charge]:
    """What the allowed among them used today, one charge for each key and counter. Map parts use nothing."""
    charges: dict[tuple[int, int, int], Charge] = {}
    for one, its in zip(asked, decided, strict=True):
        if not its.is_allowed or one.kind is Kind.MAP_PART:
            continue
        for nothing in _nothings(one, today):
            # By the account too, which keys do not share and services do.
            name = (nothing.kind, nothing.account_id, nothing.key_id)
            charge = charges.get(name, nothing)
            if nothing.kind == Counted.UNITS:
                charges[name] = charge._replace(n=charge.n + (one.units if its.is_charged else 0))
                continue
            spent = charge.spent_micro_usd + its.price_micro_usd
            charges[name] = charge._replace(n=charge.n + 1, spent_micro_usd=spent)
    return list(charges.values())


def pack_charges(charges: Iterable[Charge]) -> bytes:
    return b"".join(_CHARGE.pack(*charge) for charge in charges)


def unpack_charges(packed: bytes) -> Iterator[Charge]:
    return map(Charge._make, _CHARGE.iter_unpack(packed))


def _nothings(asked: Asked, today: Today) -> Iterator[Charge]:
    """The charges that the request adds to, as they begin."""
    key, used = asked.key, asked.key.used
    is_month = used.month == today.month
    spent = used.spent_micro_usd if is_month else 0
    counts = (used.n_requests, used.n_map_loads) if is_month else (0, 0)
    n_day = used.n_key_today if used.day == today.day else 0
    yield Charge(asked.kind, key.account_id, key.counted_id, 0, 0, today.day, today.month, n_day, *counts, spent)
    if key.own is not None:
        n_own, spent = (used.n_key_this_month, used.key_spent_micro_usd) if is_month else (0, 0)
        yield Charge(
            Counted.KEY_MONTH, key.account_id, key.counted_id, 0, 0, today.day, today.month, 0, n_own, 0, spent
        )
    if asked.service is not None and (price := asked.service_price) is not None and price.counts_units:
        n_units = used.units.get(asked.service.id, 0) if is_month else 0
        yield Charge(Counted.UNITS, key.account_id, asked.service.id, 0, 0, today.day, today.month, 0, n_units, 0, 0)
