"""One run: four gates, all attacks, a plan lowered amid them, and the judgement of what was recorded and answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from django.conf import settings
from tqdm import tqdm

from accounts.models import Account, Plan
from accounts.services import account_set_plan
from bench.exact.callers import (
    ATTACKS,
    LOWERED_S,
    LOWERED_TO,
    MIDNIGHT_S,
    N_USUAL,
    Attacker,
    make_arrivals,
    make_attackers,
)
from bench.exact.fleet import gates_apart, seconds_until_month_end, store_apart
from bench.exact.judge import Change, Decided, Judge, Judgement, Limits
from bench.openloop import Answer, Arrival, Sender
from billing.selectors import current_prices
from goongdash.lib.clock import to_epoch_us, utc_now
from goongdash.lib.periods import day_of
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.outcomes import BY_NUMBER, OUTCOMES
from stats.stream import redis_client

# From the store's start to the first request: gates start, keys and arrivals are made.
PREPARATION_S = 60.0
CONNECTIONS = 256
# How long after the commit a gate may still go by the old plan.
GRACE_US = 1_000_000


@dataclass(frozen=True, slots=True)
class ExactFound:
    """The judgement by attack; answers that say otherwise than their record, or have none; and the statuses."""

    by_attack: dict[str, Judgement]
    n_contradicted: int
    statuses: Counter[int]
    late_p99_ms: float

    @property
    def n_strange(self) -> int:
        """Answers that no limit gives: none of these callers does anything forbidden."""
        return self.statuses.total() - self.statuses[200] - self.statuses[429]

    @property
    def idle_attacks(self) -> list[str]:
        """Those whose limit never bound: they prove nothing."""
        return [a.name for a in ATTACKS if a.reaches and not self.by_attack[a.name].outcomes[a.reaches]]

    @property
    def is_clean(self) -> bool:
        is_right = not (self.n_contradicted or self.n_strange or self.idle_attacks)
        return is_right and all(judgement.is_clean for judgement in self.by_attack.values())


def run(data_dir: Path, n_total: int) -> ExactFound:
    """About `n_total` requests. REDIS_URL names the store that this starts."""
    offset_s = seconds_until_month_end(settings.BILLING_ZONE) - MIDNIGHT_S - PREPARATION_S
    began_at = time.monotonic()
    with store_apart(data_dir, offset_s), gates_apart(offset_s) as gates:
        attackers = make_attackers(n_total)
        arrivals = make_arrivals(attackers, len(gates), n_total)
        ready_in_s = PREPARATION_S - (time.monotonic() - began_at)
        if ready_in_s < 0:
            raise RuntimeError(f"The gates were not ready in {PREPARATION_S:.0f} s; midnight has gone by.")
        time.sleep(ready_in_s)
        ports = [gate.port for gate in gates]
        answers, change = uvloop.run(
            _attack(ports, arrivals, _of(attackers, "lowered"), int(LOWERED_TO * n_total / N_USUAL))
        )
        ingest_all()
    return _judged(attackers, answers, change)


async def _attack(
    ports: Sequence[int], arrivals: Sequence[Arrival], lowered: Attacker, lowered_to: int
) -> tuple[list[Answer], Change]:
    sender = Sender(arrivals, ports)
    watching = asyncio.create_task(_watch(sender, len(arrivals)))
    lowering = asyncio.create_task(_lower(lowered.account, lowered_to))
    await sender.run(CONNECTIONS)
    watching.cancel()
    return sender.answers, await lowering


async def _watch(sender: Sender, n_total: int) -> None:
    with tqdm(total=n_total, desc="attacking", unit="request") as bar:
        while True:
            await asyncio.sleep(0.5)
            bar.update(len(sender.answers) - bar.n)


async def _lower(account: Account, lowered_to: int) -> Change:
    await asyncio.sleep(LOWERED_S)
    return await asyncio.to_thread(_lower_now, account, lowered_to)


def _lower_now(account: Account, lowered_to: int) -> Change:
    old = account.plan
    after = Plan.objects.create(
        slug="exact-after",
        name="After",
        rate_limit=old.rate_limit,
        requests_per_day=lowered_to,
        credit_micro_usd=old.credit_micro_usd,
    )
    since_us = _store_now_us()
    account_set_plan(account=account, plan=after)
    return Change(since_us, _store_now_us() + GRACE_US, _limits(after))


def _store_now_us() -> int:
    seconds, micro = redis_client().time()
    return seconds * 1_000_000 + micro


def _judged(attackers: Sequence[Attacker], answers: Sequence[Answer], change: Change) -> ExactFound:
    by_attack = {}
    plans = {plan.slug: plan for plan in Plan.objects.all()}
    for attacker in attackers:
        limits = _limits(plans[f"exact-{attacker.attack.name}"])
        changes = {attacker.account.pk: change} if attacker.attack.name == "lowered" else {}
        judge = Judge({attacker.account.pk: limits}, changes)
        by_attack[attacker.attack.name] = judge.judge(_records(attacker.account))
    late_ms = sorted(answer.latency_s * 1_000 for answer in answers)
    return ExactFound(
        by_attack,
        _n_contradicted(answers),
        Counter(answer.status for answer in answers),
        late_ms[len(late_ms) * 99 // 100],
    )


def _records(account: Account) -> Iterator[Decided]:
    """In the order of their decision, which is that of their numbers."""
    prices = current_prices(day_of(utc_now(), settings.BILLING_ZONE))
    for record in UsageRecord.objects.filter(account=account).order_by("id").iterator():
        yield Decided(
            at_us=to_epoch_us(record.at),
            on=day_of(record.at, settings.BILLING_ZONE),
            account_id=record.account_id,
            key_id=record.key_id,
            ip=record.ip,
            outcome=BY_NUMBER[record.outcome],
            price_micro_usd=prices.get(record.service_id or 0, 0),
            cost_micro_usd=record.cost_micro_usd,
        )


def _n_contradicted(answers: Sequence[Answer]) -> int:
    """Answers without a record, with another status than their record's, and records that nobody was told of."""
    recorded = {
        str(request_id): OUTCOMES[BY_NUMBER[outcome]].status
        for request_id, outcome in UsageRecord.objects.values_list("request_id", "outcome").iterator()
    }
    n = sum(recorded.pop(answer.request_id.decode(), None) != answer.status for answer in answers)
    return n + len(recorded)


def _limits(plan: Plan) -> Limits:
    return Limits(
        rate=plan.rate_limit,
        window_us=plan.rate_window_s * 1_000_000,
        per_day=plan.requests_per_day,
        per_month=plan.requests_per_month,
        allowance_micro_usd=plan.credit_micro_usd,
    )


def _of(attackers: Sequence[Attacker], name: str) -> Attacker:
    return next(attacker for attacker in attackers if attacker.attack.name == name)


SAYS = {attack.name: attack.says for attack in ATTACKS}
