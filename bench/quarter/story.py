"""What happens in the quarter, made of a seed alone: requests, prices, plans, money. And the constants of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
# The installation's zone, which has known no summer time since long.
ZONE_OFFSET = timedelta(hours=7)
USD = 1_000_000
# Of each service, by the day from on: where each tier begins, and its price. The first is there from the start.
PRICES: dict[str, list[tuple[date, list[tuple[int, int]]]]] = {
    "geocode": [
        (date(2026, 1, 1), [(0, 0), (20, 400_000), (60, 250_000)]),
        (date(2026, 2, 11), [(0, 500_000), (50, 100_000)]),
    ],
    "directions": [(date(2026, 1, 1), [(0, 700_000)]), (date(2026, 3, 16), [(0, 900_000), (25, 650_001)])],
    "trip": [(date(2026, 1, 1), [(0, 1_234_567), (10, 999_999)])],
}
CREDITS = {"free": 30 * USD, "pro": 60 * USD}
# One in so many requests arrives late, so many days at the most: spooled by a gate that was cut off.
LATE_ONE_IN, LATE_DAYS = 60, 40


@dataclass(frozen=True, slots=True)
class Move:
    """Money by hand, or a change of plan, on a day: `kind` is deposit, refund or a plan's slug."""

    account: int
    kind: str
    amount_micro_usd: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of an account, by its place among them; `late_days` is how long its event takes to arrive."""

    account: int
    service: str
    at: datetime
    late_days: int


def days() -> Iterator[date]:
    for n in range((LAST - FIRST).days + 1):
        yield FIRST + timedelta(n)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - ZONE_OFFSET


def moves_on(day: date, n_accounts: int, seed: int) -> list[Move]:
    chance = random.Random(f"{seed} moves {day}")
    moves = []
    for _ in range(max(1, n_accounts // 60)):
        account = chance.randrange(n_accounts)
        kind = chance.choice(["deposit", "deposit", "refund", "free", "pro"])
        moves.append(Move(account, kind, chance.randrange(1, 20 * USD)))
    return moves


def asks_on(day: date, n_accounts: int, seed: int) -> list[Ask]:
    """In order of time. A few accounts ask much, most of them little."""
    chance = random.Random(f"{seed} asks {day}")
    start = noon(day) - timedelta(hours=12)
    asks = []
    for account in range(n_accounts):
        for _ in range(chance.choice([0, 1, 2, 3]) if account % 10 else chance.randrange(8)):
            at = start + timedelta(microseconds=chance.randrange(86_400_000_000))
            late = chance.randint(1, LATE_DAYS) if chance.randrange(LATE_ONE_IN) == 0 else 0
            asks.append(Ask(account, chance.choice(list(PRICES)), at, late))
    return sorted(asks, key=lambda ask: ask.at)
