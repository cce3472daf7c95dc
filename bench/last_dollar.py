"""The last dollar of an account, wanted by 200 connections at once at four gates: how much more than it is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import uvloop
from django.conf import settings
from django.db.models import Sum

from accounts.models import Account, Plan
from accounts.registration import account_register
from bench.exact.callers import CHEAP, DEAR
from bench.openloop import Answer, Arrival, Sender
from billing.models import Price
from billing.selectors import current_prices
from goongdash.lib.clock import utc_now
from goongdash.lib.money import MICRO_PER_USD
from goongdash.lib.periods import day_of
from keys.services import key_create
from stats.ingest import ingest_all
from stats.models import UsageRecord
from tests.processes import running_gate

ROUNDS = 20
GATES = 4
CONNECTIONS = 200
REQUESTS = 1_000
# No multiple of them is a dollar: the last request that fits leaves something.
PRICES_MICRO_USD = {"autocomplete-v2": 1_700, "distance-matrix-v2": 6_100}


@dataclass(frozen=True, slots=True)
class _Round:
    """Micro-dollars spent of the dollar as recorded; whether answers and records say the same."""

    spent_micro_usd: int
    n_passed: int
    n_contradicted: int

    @property
    def overspent_micro_usd(self) -> int:
        return max(0, self.spent_micro_usd - MICRO_PER_USD)

    @property
    def left_micro_usd(self) -> int:
        return max(0, MICRO_PER_USD - self.spent_micro_usd)


def measure() -> dict[str, float]:
    """The worst of all rounds, each with an account of its own and every request sent at one instant."""
    _set_prices()
    Plan.objects.create(slug="last-dollar", name="Last dollar", rate_limit=5, credit_micro_usd=MICRO_PER_USD)
    with ExitStack() as stack:
        gates = [
            stack.enter_context(
                running_gate(
                    redis_prefix=settings.REDIS_PREFIX,
                    TRUSTED_PROXIES="127.0.0.1",
                    STORE_TIMEOUT_MS="60000",
                    GATE_PROCESSES="1",
                )
            )
            for _ in range(GATES)
        ]
        ports = [gate.port for gate in gates]
        rounds = [_round(ports, number) for number in range(ROUNDS)]
    return {
        "gates": GATES,
        "connections": CONNECTIONS,
        "rounds": ROUNDS,
        "requests": ROUNDS * REQUESTS,
        "passed": sum(each.n_passed for each in rounds),
        "credit overspent, all rounds (µUSD)": sum(each.overspent_micro_usd for each in rounds),
        "most left although a request of the cheaper price was refused (µUSD)": max(r.left_micro_usd for r in rounds),
        "answers that differ from their records": sum(each.n_contradicted for each in rounds),
    }


def _set_prices() -> None:
    prices = current_prices(day_of(utc_now(), settings.BILLING_ZONE))
    for slug, micro_usd in PRICES_MICRO_USD.items():
        n = Price.objects.filter(service__slug=slug).update(price_micro_usd=micro_usd)
        if not n or not prices:
            raise AssertionError(f"{slug} has no price.")


def _round(ports: Sequence[int], number: int) -> _Round:
    account = account_register(
        email=f"last{number}@example.com", password=None, plan="last-dollar", name=f"Last dollar {number}"
    )
    key = key_create(account=account, key_type="rest", name="Key").text
    arrivals = [
        Arrival(
            0.0, n % len(ports), _request(key, f"10.{number}.{n >> 8}.{n & 255}", (DEAR, CHEAP)[n // len(ports) % 2])
        )
        for n in range(REQUESTS)
    ]
    answers = uvloop.run(_send(arrivals, ports))
    ingest_all()
    return _judged(account, answers)


async def _send(arrivals: Sequence[Arrival], ports: Sequence[int]) -> list[Answer]:
    sender = Sender(arrivals, ports)
    await sender.run(CONNECTIONS)
    return sender.answers


def _judged(account: Account, answers: Sequence[Answer]) -> _Round:
    records = UsageRecord.objects.filter(account=account)
    spent = int(records.aggregate(sum=Sum("cost_micro_usd", default=0))["sum"])
    passed = set(map(str, records.filter(outcome=0).values_list("request_id", flat=True)))
    told = {answer.request_id.decode() for answer in answers if answer.status == 200}
    statuses = Counter(answer.status for answer in answers)
    strange = statuses.total() - statuses[200] - statuses[429]
    return _Round(spent, len(passed), len(passed ^ told) + strange)


def _request(key: str, ip: str, path: str) -> bytes:
    return (
        "GET /_gate/auth HTTP/1.1\r\nHost: gate\r\n"
        f"X-Original-URI: {path}&api_key={key}\r\nX-Forwarded-For: {ip}\r\n\r\n"
    ).encode()
