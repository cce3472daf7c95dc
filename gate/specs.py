"""What the counting script must know of a key and a service, packed; and its answer, unpacked. Pure.

The layout is the one that `count.lua` reads; both name the fields in the same order.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from gate.snapshot import KeySnapshot, OwnLimits, ServiceFacts, ServicePrice, SessionPart, Used
from keys.limits import MAP_PART_RATE_LIMIT
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome

NO_LIMIT = 0xFFFF_FFFF
MAP_PART_WINDOW_MS = 1_000

# No money: what the script's numbers hold exactly, and more than anybody spends.
NO_BUDGET = 2**53 - 1

_LIMITS = struct.Struct(">BBBIIIIQIQIQB")
_BASE = struct.Struct(">IIIIIQ")
_OWN = struct.Struct(">IQQIQ")
_PRICE = struct.Struct(">QQHH")
_TIER = struct.Struct(">QQ")
# What stands behind a spec's bases, in this order; of units there is nothing but that the caller names them.
_HAS_OWN, _HAS_TIERS, _HAS_UNITS = 1, 2, 4
_VERDICT = struct.Struct(">BIIIII")
_CLOCK = struct.Struct(">Q")


class Kind(IntEnum):
    """What a request counts as."""

    RECORD_ONLY = 0
    REQUEST = 1
    MAP_LOAD = 2
    MAP_PART = 3


class Verdict(NamedTuple):
    """What the script decided of one request; `NO_LIMIT` is left where there is no such limit.

    `left_month` is of the plan's month, `left_own` of the key's own.
    """

    number: int
    left_rate: int
    wait_us: int
    left_day: int
    left_month: int
    left_own: int = NO_LIMIT

    @property
    def outcome(self) -> Outcome:
        return BY_NUMBER[self.number]


_KINDS = {"request": Kind.REQUEST, "element": Kind.REQUEST, "map_load": Kind.MAP_LOAD, "none": Kind.MAP_PART}


def kind_of(key: KeySnapshot, service: ServiceFacts | None) -> Kind:
    """What a request of `key` to `service` counts as; to none, what most requests of its type count as."""
    if service is None:
        return Kind.REQUEST if key.type == "rest" else Kind.MAP_LOAD
    return _KINDS[service.unit]


def pack_spec(
    key: KeySnapshot,
    service: ServiceFacts | None,
    refused: Outcome | None,
    session: SessionPart = SessionPart.NONE,
) -> bytes:
    """The spec of a request of `key` to `service`; with `refused`, it is only recorded, with that outcome."""
    kind = kind_of(key, service)
    if refused is not None and not is_told_limits(refused):
        kind, session = Kind.RECORD_ONLY, SessionPart.NONE
    is_part = kind is Kind.MAP_PART
    per_month = month_limit(key, kind)
    extras, packed_extras = _extras(key, service) if kind in (Kind.REQUEST, Kind.MAP_LOAD) else (0, b"")
    limits = _LIMITS.pack(
        kind,
        OUTCOMES[refused].number if refused else 0,
        session,
        MAP_PART_RATE_LIMIT if is_part else key.rate_limit,
        MAP_PART_WINDOW_MS if is_part else key.rate_window_s * 1_000,
        NO_LIMIT if key.requests_per_day is None else key.requests_per_day,
        NO_LIMIT if per_month is None else per_month,
        0 if service is None else key.prices.get(service.id, 0),
        key.credit.month,
        key.credit.allowance_micro_usd,
        key.credit.next_month,
        key.credit.next_allowance_micro_usd,
        extras,
    )
    used = key.used
    base = _BASE.pack(used.day, used.n_key_today, used.month, used.n_requests, used.n_map_loads, used.spent_micro_usd)
    return b"%b%d\0%d\0%b%b" % (limits, key.counted_id, key.account_id, base, packed_extras)


def _extras(key: KeySnapshot, service: ServiceFacts | None) -> tuple[int, bytes]:
    """Which extras the spec has, and what stands behind it: nothing, for most keys and services."""
    has, packed = 0, b""
    if key.own is not None:
        has, packed = _HAS_OWN, _pack_own(key.own, key.used)
    if service is not None and (price := key.tiered.get(service.id)) is not None:
        has, packed = has | _HAS_TIERS, packed + _pack_price(service.id, price, key.used)
    if service is not None and service.counts_elements:
        has |= _HAS_UNITS
    return has, packed


def _pack_price(service_id: int, price: ServicePrice, used: Used) -> bytes:
    next_tiers = () if price.next is None else price.next.tiers
    head = _PRICE.pack(used.units.get(service_id, 0), price.next_from_us, len(price.now.tiers), len(next_tiers))
    tiers = (_TIER.pack(tier.from_units, tier.price_micro_usd) for tier in (*price.now.tiers, *next_tiers))
    return b"%d\0%b%b" % (service_id, head, b"".join(tiers))


def _pack_own(own: OwnLimits, used: Used) -> bytes:
    return _OWN.pack(
        NO_LIMIT if own.requests_per_month is None else own.requests_per_month,
        _money(own.spend_cap_micro_usd),
        _money(own.budget_micro_usd),
        used.n_key_this_month,
        used.key_spent_micro_usd,
    )


def _money(limit_micro_usd: int | None) -> int:
    return NO_BUDGET if limit_micro_usd is None else min(limit_micro_usd, NO_BUDGET)


def month_limit(key: KeySnapshot, kind: Kind) -> int | None:
    """How much of this kind the plan admits in a month."""
    return key.map_loads_per_month if kind is Kind.MAP_LOAD else key.requests_per_month


def own_month_limit(key: KeySnapshot) -> int | None:
    """How many requests and map loads the key itself admits in a month."""
    return None if key.own is None else key.own.requests_per_month


def rate_name(key: KeySnapshot, service: ServiceFacts | None) -> bytes:
    """What a caller's address is put behind to say who shares its rate. The parts of maps have one of their own."""
    return b"%d/map:" % key.counted_id if kind_of(key, service) is Kind.MAP_PART else b"%d:" % key.counted_id


def is_told_limits(outcome: Outcome) -> bool:
    """Whether an answer may name the key's limits: not where it would tell that a dead key once lived."""
    return OUTCOMES[outcome].code != "KEY_INVALID"


def unpack_verdicts(answer: bytes) -> tuple[int, list[Verdict]]:
    """The store's clock in microseconds, and the verdicts of one script call in the order of its requests."""
    (now_us,) = _CLOCK.unpack_from(answer)
    return now_us, list(map(Verdict._make, _VERDICT.iter_unpack(answer[_CLOCK.size :])))
