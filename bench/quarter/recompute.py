"""What the quarter must have come to, from its raw events alone: slow, plain, and of no code of the product.

It reads the list of events and of what was done by hand, walks them one by one, and knows nothing of rollups, ledger,
tiers' classes or the database; of the rest of the simulation it takes the constants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from bench.quarter.story import CREDITS, PRICES, ZONE_OFFSET

MonthKey = tuple[int, int]


@dataclass(slots=True)
class Told:
    """One event: what a gate said at `at`, and when it reached the records."""

    account: int
    service: str
    at: datetime
    is_allowed: bool
    cost_micro_usd: int
    arrived_at: datetime


@dataclass(slots=True)
class Past:
    """Everything that happened, as it happened, in its order."""

    told: list[Told] = field(default_factory=list)
    deposits: list[tuple[int, datetime, int]] = field(default_factory=list)
    refunds: list[tuple[int, datetime, int]] = field(default_factory=list)
    # (account, month) → the plans that held in it.
    plans: dict[tuple[int, MonthKey], set[str]] = field(default_factory=dict)
    closed_at: dict[MonthKey, datetime] = field(default_factory=dict)
    charged_at: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class Expected:
    """By account and month: gross, credit, net; by account and day: requests and cost; by account: the balance."""

    statements: dict[tuple[int, MonthKey], tuple[int, int, int]]
    days: dict[tuple[int, date], tuple[int, int]]
    balances: dict[int, int]
    wrongly_priced: int
    overspent_micro_usd: int


def recompute(past: Past, n_accounts: int) -> Expected:
    days: dict[tuple[int, date], tuple[int, int]] = {}
    numbers: dict[tuple[int, str, MonthKey], int] = {}
    gross: dict[tuple[int, MonthKey], int] = {}
    spent: dict[tuple[int, MonthKey], int] = {}
    wrongly_priced = 0
    for told in sorted(past.told, key=lambda each: each.at):
        day = (told.at + ZONE_OFFSET).date()
        month = (day.year, day.month)
        n_requests, cost = days.get((told.account, day), (0, 0))
        days[told.account, day] = (n_requests + 1, cost + told.cost_micro_usd)
        if not told.is_allowed:
            wrongly_priced += told.cost_micro_usd != 0
            continue
        place = (told.account, told.service, month)
        number = numbers.get(place, 0)
        numbers[place] = number + 1
        wrongly_priced += told.cost_micro_usd != _price(told.service, day, number)
        spent[told.account, month] = spent.get((told.account, month), 0) + told.cost_micro_usd
        payer = _paying_month(past, month, told.arrived_at)
        gross[told.account, payer] = gross.get((told.account, payer), 0) + told.cost_micro_usd
    statements, balances = {}, dict.fromkeys(range(n_accounts), 0)
    for account, _at, amount in past.deposits:
        balances[account] += amount
    for account, _at, amount in past.refunds:
        balances[account] -= amount
    for account in range(n_accounts):
        for month in sorted(past.closed_at):
            total = gross.get((account, month), 0)
            credit = max(CREDITS[plan] for plan in past.plans[account, month])
            paid = min(credit, total)
            statements[account, month] = (total, paid, total - paid)
            balances[account] -= total - paid
    return Expected(statements, days, balances, wrongly_priced, _overspent(past, spent, statements, n_accounts))


def _price(service: str, day: date, number: int) -> int:
    """Of the unit that is number `number` of its month, from 0."""
    tiers = [tiers for since, tiers in PRICES[service] if since <= day][-1]
    return [price for start, price in tiers if start <= number][-1]


def _paying_month(past: Past, month: MonthKey, arrived_at: datetime) -> MonthKey:
    """Its own, or, where that was closed when the event arrived, the one in which it was charged next."""
    if arrived_at < past.closed_at[month]:
        return month
    charged_at = min(at for at in past.charged_at if at >= arrived_at)
    local = charged_at + ZONE_OFFSET
    return local.year, local.month


def _overspent(
    past: Past,
    spent: dict[tuple[int, MonthKey], int],
    statements: dict[tuple[int, MonthKey], tuple[int, int, int]],
    n_accounts: int,
) -> int:
    """What was allowed beyond all the credit and money that the account ever had by that month, deposits included."""
    over = 0
    for account in range(n_accounts):
        paid_before = 0
        for month in sorted(past.closed_at):
            credit = max(CREDITS[plan] for plan in past.plans[account, month])
            end = _end(month)
            money = sum(amount for who, at, amount in past.deposits if who == account and at < end)
            over += max(0, spent.get((account, month), 0) - credit - max(0, money - paid_before))
            paid_before += statements[account, month][2]
    return over


def _end(month: MonthKey) -> datetime:
    year, number = month
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return following - ZONE_OFFSET + timedelta(0)
