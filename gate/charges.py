"""What spooled requests used of days, months and credit: kept beside their events, added to the counters later. Pure.

The layout is the one that `replay.lua` reads; both name the fields in the same order. It is independent of the
counting script's, so that a file which an older gate has left is understood.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gate.local_limits import Asked, Decided
from gate.specs import Kind
from gate.today import Today

_CHARGE = struct.Struct(">BQQIQIIQQQQ")
CHARGE_BYTES = _CHARGE.size


class Charge(NamedTuple):
    """`n` requests of a key in one day: all of a kind, `spent_micro_usd` together. `key_id` is whose counter it is.

    The bases are what the rollups said: where a counter begins that the store does not have.
    """

    kind: Kind
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
    """What the allowed among them used today, one charge for each key and kind. Map parts use nothing."""
    charges: dict[tuple[int, Kind], Charge] = {}
    for one, its in zip(asked, decided, strict=True):
        if not its.is_allowed or one.kind is Kind.MAP_PART:
            continue
        name = (one.key.counted_id, one.kind)
        charge = charges.get(name) or _nothing(one, today)
        charges[name] = charge._replace(n=charge.n + 1, spent_micro_usd=charge.spent_micro_usd + its.price_micro_usd)
    return list(charges.values())


def pack_charges(charges: Iterable[Charge]) -> bytes:
    return b"".join(_CHARGE.pack(*charge) for charge in charges)


def unpack_charges(packed: bytes) -> Iterator[Charge]:
    for kind, *fields in _CHARGE.iter_unpack(packed):
        yield Charge(Kind(kind), *fields)


def _nothing(asked: Asked, today: Today) -> Charge:
    used, kind = asked.key.used, asked.kind
    is_month = used.month == today.month
    return Charge(
        kind,
        asked.key.account_id,
        asked.key.counted_id,
        0,
        0,
        today.day,
        today.month,
        used.n_key_today if used.day == today.day else 0,
        used.n_requests if is_month else 0,
        used.n_map_loads if is_month else 0,
        used.spent_micro_usd if is_month else 0,
    )
