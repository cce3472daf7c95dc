"""The accounts that attack, one for each way: their plans, keys and how their requests arrive. Times are in seconds.

The store's midnight, which is a month's first, comes MIDNIGHT_S after the start.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import Account, Plan
from accounts.registration import account_register
from bench.openloop import Arrival
from keys.services import key_create
from stats.outcomes import Outcome

MIDNIGHT_S = 8.0
LOWERED_S = 4.0
END_S = 14.0
N_USUAL = 120_000
RATE = 5
CHEAP, DEAR = "/v2/place/autocomplete?input=a", "/v2/distancematrix?origins=a"


@dataclass(frozen=True, slots=True)
class Attack:
    """One account and its keys. `limits` name the plan's, for N_USUAL requests in all; what they do not name is free.

    `reaches` is the limit that must be seen to bind, or the attack was none.
    """

    name: str
    says: str
    n_keys: int
    limits: dict[str, int]
    reaches: Outcome | None


ATTACKS = [
    Attack(
        "edges",
        "bursts that straddle every edge of a second, from addresses each at their own phase",
        40,
        {},
        Outcome.RATE_LIMIT,
    ),
    Attack("steady", "callers at exactly the rate, five at once every second and a little", 40, {}, None),
    Attack(
        "crowd",
        "a day's quota, asked from two thousand addresses at once, twice",
        4,
        {"requests_per_day": 900},
        Outcome.DAILY_QUOTA,
    ),
    Attack(
        "month",
        "a month's quota of the account, asked with many keys at once",
        20,
        {"requests_per_month": 4_000},
        Outcome.MONTHLY_QUOTA,
    ),
    Attack(
        "credit",
        "credit that ends amid calls of two prices",
        20,
        {"credit_micro_usd": 7_777_777},
        Outcome.CREDIT_EXHAUSTED,
    ),
    Attack(
        "lowered",
        "a day's quota lowered below what was used already",
        4,
        {"requests_per_day": 5_000},
        Outcome.DAILY_QUOTA,
    ),
    Attack(
        "midnight",
        "a flood across midnight, which ends day and month",
        10,
        {"requests_per_day": 700},
        Outcome.DAILY_QUOTA,
    ),
]
LOWERED_TO = 800


@dataclass(frozen=True, slots=True)
class Attacker:
    """An attack with its account and the texts of its keys, made."""

    attack: Attack
    account: Account
    keys: tuple[str, ...]


def make_attackers(n_total: int) -> list[Attacker]:
    """Their limits are as much lower as `n_total` is than the usual number, so that they are reached."""
    return [_make(attack, n_total / N_USUAL) for attack in ATTACKS]


def make_arrivals(attackers: list[Attacker], n_gates: int, n_total: int, seed: int = 1) -> list[Arrival]:
    """About `n_total` requests, in the order of their times, each to a gate by chance."""
    chance = random.Random(seed)
    each_weight = n_total / sum(_WEIGHTS.values())
    arrivals = [
        Arrival(due_s, chance.randrange(n_gates), _request(key, ip, path))
        for attacker in attackers
        for due_s, key, ip, path in _PATTERNS[attacker.attack.name](
            attacker, int(each_weight * _WEIGHTS[attacker.attack.name]), chance
        )
    ]
    return sorted(arrivals, key=lambda arrival: arrival.due_s)


Moment = tuple[float, str, str, str]


def _edges(attacker: Attacker, n: int, chance: random.Random) -> Iterator[Moment]:
    """Every caller: eight at once just before an edge of its own second, eight just after, again and again."""
    bursts_each = int(END_S - 2)
    for n_caller in range(n // (16 * bursts_each)):
        key, ip, phase = chance.choice(attacker.keys), f"10.1.{n_caller >> 8}.{n_caller & 255}", chance.random()
        for second in range(bursts_each):
            for side in (-0.004, 0.004):
                for _ in range(8):
                    yield max(0.0, phase + second + 1 + side), key, ip, CHEAP


def _steady(attacker: Attacker, n: int, chance: random.Random) -> Iterator[Moment]:
    """Five at once, and the next five when the second is surely over: none of these may be refused."""
    spacing_s = 1.25
    bursts_each = int((END_S - 1) / spacing_s)
    for n_caller in range(n // (RATE * bursts_each)):
        key, ip, phase = chance.choice(attacker.keys), f"10.2.{n_caller >> 8}.{n_caller & 255}", chance.random()
        for burst in range(bursts_each):
            for _ in range(RATE):
                yield phase + burst * spacing_s, key, ip, CHEAP


def _crowd(attacker: Attacker, n: int, chance: random.Random) -> Iterator[Moment]:
    for number in range(n):
        at_s = (2.0 if number % 2 else 5.0) + chance.random() * 0.5
        yield at_s, chance.choice(attacker.keys), _any_ip(3, chance), CHEAP


def _spread(attacker: Attacker, n: int, chance: random.Random) -> Iterator[Moment]:
    for _ in range(n):
        path = DEAR if attacker.attack.name == "credit" and chance.random() < 0.5 else CHEAP
        yield chance.uniform(0.5, END_S - 0.5), chance.choice(attacker.keys), _any_ip(4, chance), path


def _midnight(attacker: Attacker, n: int, chance: random.Random) -> Iterator[Moment]:
    for _ in range(n):
        yield MIDNIGHT_S + chance.uniform(-1.5, 1.5), chance.choice(attacker.keys), _any_ip(5, chance), CHEAP


_PATTERNS = {
    "edges": _edges,
    "steady": _steady,
    "crowd": _crowd,
    "month": _spread,
    "credit": _spread,
    "lowered": _spread,
    "midnight": _midnight,
}
_WEIGHTS = {"edges": 5, "steady": 3, "crowd": 2, "month": 3, "credit": 2, "lowered": 3, "midnight": 3}


def _any_ip(net: int, chance: random.Random) -> str:
    return f"10.{net}.{chance.randrange(8)}.{chance.randrange(250)}"


def _request(key: str, ip: str, path: str) -> bytes:
    return (
        "GET /_gate/auth HTTP/1.1\r\nHost: gate\r\n"
        f"X-Original-URI: {path}&api_key={key}\r\nX-Forwarded-For: {ip}\r\n\r\n"
    ).encode()


def _make(attack: Attack, scale: float) -> Attacker:
    limits = {"credit_micro_usd": 10**12, **{name: int(value * scale) for name, value in attack.limits.items()}}
    Plan.objects.create(slug=f"exact-{attack.name}", name=attack.name.title(), rate_limit=RATE, **limits)
    account = account_register(
        email=f"{attack.name}@example.com", password=None, plan=f"exact-{attack.name}", name=attack.name
    )
    keys = (key_create(account=account, key_type="rest", name=f"Key {n}") for n in range(attack.n_keys))
    return Attacker(attack, account, tuple(created.text for created in keys))
