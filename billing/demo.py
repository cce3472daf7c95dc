"""The demo account: three keys and ninety days of made usage, which takes the same road as real usage."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from redis.client import Pipeline

from accounts.models import Account, User
from accounts.registration import account_register
from accounts.selectors import account_by_email
from billing.ledger import monthly_credit_grant, usage_charge
from billing.selectors import current_prices
from billing.statements import month_close
from goongdash.lib.periods import Month, day_of, day_start, days
from keys.models import ApiKey, Service
from keys.services import key_create
from keys.vault import decrypt
from stats.events import UsageEvent, encode_caller, encode_entry, encode_request
from stats.models import DailyUsage
from stats.outcomes import Outcome
from stats.request_ids import request_id_at
from stats.rollups import usage_catch_up
from stats.stream import count_key, redis_client, shard_of, stream_key

EMAIL = "demo@example.com"
PASSWORD = "goongdash-demo"  # noqa: S105 — printed at every start; the demo is for a laptop.
N_DAYS = 90
REQUESTS_A_DAY = 260

# name, type, restrictions
_KEYS = {
    "rest": ("Demo server", "rest", ()),
    "tiles": ("Demo map", "tiles", ()),
    "restricted": ("Demo web site", "rest", ("http*://example.com/*",)),
}
# key, service, share of the requests
_MIX = [
    ("restricted", "autocomplete", 34),
    ("restricted", "place-detail", 12),
    ("rest", "geocode", 18),
    ("rest", "geocode-v2", 7),
    ("rest", "directions", 12),
    ("rest", "distance-matrix", 6),
    ("rest", "trip", 2),
    ("tiles", "map-load", 9),
]
# A server sends no origin.
_ORIGINS = {"restricted": "https://example.com", "tiles": "https://example.com", "rest": ""}


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo account and the texts of its keys."""

    account: Account
    keys: dict[str, str]


def demo_seed(*, now: datetime) -> Demo:
    """Makes what is missing of the demo: account, keys, usage up to yesterday, credit and statements.

    Safe to run again: what is there stays, days without usage are filled.
    """
    with _one_at_a_time():
        account = _account(now)
        keys = _keys(account)
        today = day_of(now, settings.BILLING_ZONE)
        first = today - timedelta(days=N_DAYS)
        # Before the look for empty days as well: what a killed run had pushed may still be on its way.
        usage_catch_up()
        _push_usage(account, keys, _empty_days(account, first, today - timedelta(days=1)))
        usage_catch_up()
        _bill(account, Month.of(first), Month.of(today), now)
    return Demo(account, {slug: decrypt(key.ciphertext) for slug, key in keys.items()})


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two that seed at once would each find the same days empty. The lock's number is arbitrary."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7203120)")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(7203120)")


@transaction.atomic
def _account(now: datetime) -> Account:
    account = account_by_email(EMAIL) or account_register(email=EMAIL, password=PASSWORD, name="Demo")
    # Set again, so that what is printed is true even after somebody changed it.
    user = User.objects.get(email=EMAIL)
    if not user.check_password(PASSWORD):
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    first_day = day_of(now, settings.BILLING_ZONE) - timedelta(days=N_DAYS)
    opened_at = day_start(first_day, settings.BILLING_ZONE)
    if account.created_at > opened_at:
        account.created_at = opened_at
        account.save(update_fields=["created_at"])
    return account


def _keys(account: Account) -> dict[str, ApiKey]:
    """The demo's keys; one that was deleted is made anew."""
    keys = {}
    for slug, (name, key_type, restrictions) in _KEYS.items():
        key = ApiKey.objects.filter(account=account, name=name, revoked_at=None, disabled_at=None).first()
        keys[slug] = key or key_create(account=account, key_type=key_type, name=name, restrictions=restrictions).key
    return keys


def _empty_days(account: Account, first: date, last: date) -> list[date]:
    used = set(DailyUsage.objects.filter(account=account, day_on__gte=first).values_list("day_on", flat=True))
    return [day for day in days(first, last) if day not in used]


def _push_usage(account: Account, keys: dict[str, ApiKey], empty: Iterable[date]) -> None:
    """Puts made events into the account's stream, as the gate would have."""
    services = {service.slug: service for service in Service.objects.all()}
    prices = current_prices(max(empty, default=date.max))
    for day in empty:
        events = sorted(_made_events(day, keys, services, prices), key=lambda event: event.at)
        events_push(shard_of(account.pk), events)


def events_push(shard: int, events: Sequence[UsageEvent]) -> None:
    """Appends events to a shard's stream with the next running numbers, as one step beside live gates."""
    stream, count = stream_key(shard), count_key(shard)

    def push(pipe: Pipeline) -> None:
        n_before = int(pipe.get(count) or 0)
        pipe.multi()
        pipe.incrby(count, len(events))
        for n, event in enumerate(events, n_before):
            pipe.xadd(stream, encode_entry(n_before=n, at=event.at, lines=[_line(event)]))

    redis_client().transaction(push, count)


def _line(event: UsageEvent) -> tuple[Outcome, bytes]:
    return event.outcome, encode_request(
        account_id=event.account_id,
        key_id=event.key_id,
        service_id=event.service_id,
        units=event.units,
        price_micro_usd=event.cost_micro_usd,
        would_refuse=event.would_refuse,
    ) + encode_caller(ip=event.ip, origin=event.origin, request_id=event.request_id, page_path=event.page_path)


def _made_events(
    day: date, keys: dict[str, ApiKey], services: dict[str, Service], prices: dict[int, int]
) -> Iterator[UsageEvent]:
    """A day's events: the same ones whenever they are made for that day."""
    chance = random.Random(day.toordinal())  # noqa: S311 — made usage, not a secret.
    weekday = 0.6 if day.weekday() >= 5 else 1.0
    for _ in range(int(REQUESTS_A_DAY * weekday * chance.uniform(0.75, 1.25))):
        slug, service_slug, _share = chance.choices(_MIX, weights=[share for *_, share in _MIX])[0]
        outcome = chance.choices(
            [Outcome.ALLOWED, Outcome.ORIGIN_NOT_ALLOWED, Outcome.RATE_LIMIT, Outcome.KEY_TYPE],
            weights=[955, 25 if slug == "restricted" else 0, 18, 2],
        )[0]
        service, is_allowed = services[service_slug], outcome is Outcome.ALLOWED
        refused_origin = outcome is Outcome.ORIGIN_NOT_ALLOWED
        at = _moment(day, chance)
        yield UsageEvent(
            at=at,
            account_id=keys[slug].account_id,
            key_id=keys[slug].pk,
            service_id=service.pk,
            outcome=outcome,
            units=int(is_allowed),
            cost_micro_usd=prices.get(service.pk, 0) if is_allowed else 0,
            ip=f"203.0.113.{chance.randint(1, 254)}",
            origin="https://copycat.example.net" if refused_origin else _ORIGINS[slug],
            request_id=str(request_id_at(at, chance.getrandbits(74))),
        )


def _moment(day: date, chance: random.Random) -> datetime:
    """Some instant of the day; most of them in its middle."""
    share = min(0.9999, max(0.0, chance.gauss(0.58, 0.18)))
    seconds = math.floor(share * 86_400)
    return day_start(day, settings.BILLING_ZONE) + timedelta(seconds=seconds, microseconds=chance.randrange(10**6))


def _bill(account: Account, first: Month, this_month: Month, now: datetime) -> None:
    month = first
    while month < this_month:
        for _ in month_close(month=month, now=now, account=account):
            pass
        month = month.next
    monthly_credit_grant(month=this_month, accounts=[account])
    usage_charge(before=day_of(now, settings.BILLING_ZONE), account_ids=[account.pk])
