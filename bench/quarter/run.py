"""Lives through the quarter a day at a time, with the product's own services, and compares with the recomputation."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import TypeVar
from unittest import mock

from django.db import connection
from django.db.models import F, Sum

from accounts.models import Account, Plan
from accounts.services import account_change_plan, plans_change_due
from bench.quarter.crashes import until_done
from bench.quarter.decisions import Gate
from bench.quarter.recompute import Expected, Past, Told, recompute
from bench.quarter.story import CREDITS, FIRST, PRICES, Move, asks_on, days, moves_on, noon
from bench.servers import set_appendfsync
from billing.demo import events_push
from billing.deposits import deposit_record, refund_record
from billing.errors import BillingError
from billing.ledger import monthly_credit_grant, usage_charge
from billing.models import LedgerEntry, Price, PriceTier, Statement
from billing.selectors import price_book
from billing.statements import month_close
from billing.verification import usage_verify
from gate.snapshot import ServiceFacts
from goongdash.lib.periods import Month
from keys.models import Service
from stats.events import UsageEvent
from stats.ingest import ingest_all
from stats.models import DailyUsage
from stats.outcomes import Outcome
from stats.rollups import usage_roll_up
from stats.stream import shard_of

K = TypeVar("K")

_CLOCKS = (
    "billing.ledger",
    "billing.deposits",
    "billing.statements",
    "stats.rollups",
    "stats.ingest",
    "accounts.audit",
)

# What must come to nothing.
NOUGHTS = (
    "requests priced otherwise than by the recomputation",
    "overspent (µUSD)",
    "verify_usage, differences",
    "difference (µUSD)",
)


class Quarter:
    """The state of the simulation: the accounts, the gate, what is on its way, and the past for the recomputation."""

    def __init__(self, seed: int, n_accounts: int) -> None:
        self.seed, self.n_accounts = seed, n_accounts
        self.chance = random.Random(f"{seed} crashes")
        self.past, self.n_cuts, self.now = Past(), 0, noon(FIRST) - timedelta(hours=12)
        self.on_its_way: defaultdict[date, list[tuple[Told, UsageEvent]]] = defaultdict(list)
        services = {slug: Service.objects.get(slug=slug) for slug in PRICES}
        self.accounts = _accounts(n_accounts, self.now)
        _prices(services)
        facts = {
            slug: ServiceFacts(service.pk, slug, service.name, "rest", "request", service.path)
            for slug, service in services.items()
        }
        self.gate = Gate(facts)

    def live(self) -> None:
        for day in days():
            self.morning(day)
            self.noon(day)
            self.evening(day)
        end = Month.of(day).next.first_day
        # A fortnight more, until the last late event has come; then the last two months are closed, months late.
        for n in range(45):
            self.morning(end + timedelta(n))
            self.evening(end + timedelta(n))
        for month in (Month(2026, 3), Month(2026, 4), Month(2026, 5)):
            self.close(month, Month(2026, 6).first_day)

    def morning(self, day: date) -> None:
        """The month's first instant, changes of plan, charges; and the closing of a month, some days late."""
        self.now = noon(day) - timedelta(hours=11)
        self.cut(lambda: plans_change_due(today=day))
        self.note_plans(day)
        self.cut(lambda: monthly_credit_grant(month=Month.of(day)))
        self.charge(day)
        if day == date(2026, 2, 4):
            self.close(Month(2026, 1), day)
        if day == date(2026, 3, 1):
            self.close(Month(2026, 2), day)

    def noon(self, day: date) -> None:
        self.now = noon(day) - timedelta(hours=10)
        moves = moves_on(day, self.n_accounts, self.seed)
        for number, move in enumerate(moves):
            self.move(move, day, f"{day} {number}")
        self.note_plans(day)
        if any(move.kind in CREDITS for move in moves):  # A higher plan has more credit at once.
            self.cut(lambda: monthly_credit_grant(month=Month.of(day)))
        self.gate.load(self.read_accounts(), day, price_book())
        for ask in asks_on(day, self.n_accounts, self.seed):
            event = self.gate.ask(self.accounts[ask.account], ask.service, ask.at)
            is_allowed = event.outcome is Outcome.ALLOWED
            told = Told(ask.account, ask.service, ask.at, is_allowed, event.cost_micro_usd, ask.at)
            self.on_its_way[day + timedelta(ask.late_days)].append((told, event))

    def evening(self, day: date) -> None:
        """What has arrived goes down the road, through power cuts."""
        self.now = noon(day) + timedelta(hours=11, minutes=59)
        by_shard: defaultdict[int, list[UsageEvent]] = defaultdict(list)
        for told, event in self.on_its_way.pop(day, []):
            told.arrived_at = self.now
            self.past.told.append(told)
            by_shard[shard_of(event.account_id)].append(event)
        for shard, events in by_shard.items():
            events_push(shard, events)
        self.cut(ingest_all)
        self.cut(_roll_up)

    def charge(self, day: date) -> None:
        self.past.charged_at.append(self.now)
        self.cut(lambda: usage_charge(before=day))

    def close(self, month: Month, day: date) -> None:
        """Twice at once and once more, after runs that were cut off."""
        self.now = noon(day) - timedelta(hours=10, minutes=30)
        self.past.charged_at.append(self.now)
        self.past.closed_at[month.year, month.month] = self.now
        self.cut(lambda: list(month_close(month=month, now=self.now)))

        def again() -> int:
            try:
                return sum(statement is not None for statement in month_close(month=month, now=self.now))
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            if any(pool.map(lambda _: again(), range(2))):
                raise AssertionError(f"{month} was closed twice.")

    def move(self, move: Move, day: date, source: str) -> None:
        account = Account.objects.select_related("plan", "next_plan").get(pk=self.accounts[move.account].pk)
        amount = move.amount_micro_usd
        match move.kind:
            case "deposit":
                self.cut(lambda: deposit_record(account=account, amount_micro_usd=amount, source=source))
                self.past.deposits.append((move.account, self.now, amount))
            case "refund":
                try:
                    self.cut(lambda: refund_record(account=account, amount_micro_usd=amount, source=source))
                except BillingError:
                    return
                self.past.refunds.append((move.account, self.now, amount))
            case _:
                plan = Plan.objects.get(slug=move.kind)
                account_change_plan(account=account, plan=plan, today=day)

    def note_plans(self, day: date) -> None:
        slugs = dict(Account.objects.values_list("pk", "plan__slug"))
        for number, account in self.accounts.items():
            self.past.plans.setdefault((number, (day.year, day.month)), set()).add(slugs[account.pk])

    def read_accounts(self) -> dict[int, Account]:
        return Account.objects.select_related("plan", "next_plan").in_bulk()

    def cut(self, act: object) -> None:
        self.n_cuts += until_done(act, self.chance)  # type: ignore[arg-type]


def run(seed: int, n_accounts: int) -> dict[str, float]:
    started_at = time.perf_counter()
    _wait_for_no_disk()
    Plan.objects.filter(slug="free").update(credit_micro_usd=CREDITS["free"], credit_period="monthly")
    Plan.objects.filter(slug="pro").update(credit_micro_usd=CREDITS["pro"], credit_period="monthly")
    quarter = Quarter(seed, n_accounts)
    with mock.patch.multiple("goongdash.lib.clock", utc_now=lambda: quarter.now):
        patches = [mock.patch(f"{module}.utc_now", lambda: quarter.now) for module in _CLOCKS]
        for patch in patches:
            patch.start()
        try:
            quarter.live()
        finally:
            for patch in patches:
                patch.stop()
    lived_s = time.perf_counter() - started_at
    expected = recompute(quarter.past, n_accounts)
    found = usage_verify(quarter.now)
    told = quarter.past.told
    return {
        "events": len(told),
        "of them refused": sum(not each.is_allowed for each in told),
        "of them late": sum(each.arrived_at - each.at > timedelta(days=1) for each in told),
        "power cuts": quarter.n_cuts,
        "statements": Statement.objects.count(),
        "charged (µUSD)": sum(each.cost_micro_usd for each in told),
        "requests priced otherwise than by the recomputation": expected.wrongly_priced,
        "overspent (µUSD)": expected.overspent_micro_usd,
        "verify_usage, differences": len(found.differences),
        "difference (µUSD)": _difference(quarter, expected),
        "time (s)": lived_s,
    }


def _difference(quarter: Quarter, expected: Expected) -> int:
    """Days, statements and ledgers against the recomputation, all of it added up without signs."""
    numbers = {account.pk: number for number, account in quarter.accounts.items()}
    days_found = {
        (numbers[account_id], day): (n, cost)
        for account_id, day, n, cost in DailyUsage.objects.values_list("account_id", "day_on")
        .annotate(Sum("n_requests"), Sum("cost_micro_usd"))
        .order_by()
    }
    statements = {
        (numbers[each.account_id], (each.period_on.year, each.period_on.month)): (
            each.gross_micro_usd,
            each.credit_micro_usd,
            each.net_micro_usd,
        )
        for each in Statement.objects.all()
    }
    balances = {
        numbers[account_id]: amount
        for account_id, amount in LedgerEntry.objects.values_list("account_id")
        .annotate(Sum("amount_micro_usd"))
        .order_by()
    }
    off = _off(days_found, expected.days) + _off(statements, expected.statements)
    off += sum(abs(balances.get(n, 0) - expected.balances[n]) for n in expected.balances)
    lines = Statement.objects.annotate(of_lines=Sum("lines__amount_micro_usd", default=0))
    return int(off) + lines.exclude(of_lines=F("gross_micro_usd")).count()


def _off(found: Mapping[K, tuple[int, ...]], expected: Mapping[K, tuple[int, ...]]) -> int:
    none = (0, 0, 0)
    return sum(
        abs(ours - theirs)
        for place in found.keys() | expected.keys()
        for ours, theirs in zip(found.get(place, none), expected.get(place, none), strict=False)
    )


def _accounts(n_accounts: int, now: datetime) -> dict[int, Account]:
    free = Plan.objects.get(slug="free")
    made = Account.objects.bulk_create(
        Account(name=f"Account {n}", plan=free, created_at=now) for n in range(n_accounts)
    )
    return dict(enumerate(made))


def _prices(services: dict[str, Service]) -> None:
    for slug, prices in PRICES.items():
        for since, tiers in prices:
            price = Price.objects.create(
                service=services[slug], effective_on=since, price_micro_usd=tiers[0][1], is_sample=False
            )
            PriceTier.objects.bulk_create(
                PriceTier(price=price, from_units=start, price_micro_usd=each) for start, each in tiers[1:]
            )


def _wait_for_no_disk() -> None:
    """The quarter's crashes end statements, never a server: what a commit waits for on the disk proves nothing here."""
    set_appendfsync("everysec")
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('ALTER DATABASE %I SET synchronous_commit = off', current_database())")
        (statement,) = cursor.fetchone() or ("",)
        cursor.execute(statement)
    connection.close()  # It holds for connections that begin after it.


def _roll_up() -> None:
    while usage_roll_up():
        pass
