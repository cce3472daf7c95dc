"""Reads keys and services from PostgreSQL into snapshots, many at a time: the only part of the gate that does.

Runs in a thread; raises django.db.DatabaseError where PostgreSQL does not answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, cast

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import Q, Sum

from accounts.models import Account
from billing.models import Budget
from billing.months import months_money_of
from billing.pricing import Tiers, books_on, next_prices
from billing.selectors import allowance_of, price_book
from gate.snapshot import Catalogue, Credit, KeySnapshot, OwnLimits, ServiceFacts, ServicePrice, SessionPart, Used
from goongdash.lib.clock import to_epoch_us, utc_now
from goongdash.lib.periods import Month, day_number, day_of, day_start
from keys.key_text import KeyTypeName
from keys.limits import lower_of
from keys.models import ApiKey, Service, Unit
from keys.restrictions import Restrictions
from keys.selectors import counted_ids_of
from stats.models import DailyUsage
from stats.outcomes import OUTCOMES, Outcome

# More than the clocks of a gate and of its store are ever apart.
CLOCKS_APART = timedelta(hours=1)


class Money(NamedTuple):
    """What services cost, what the key's account may spend, and what has been used."""

    prices: Mapping[int, int]
    tiered: Mapping[int, ServicePrice]
    credit: Credit
    used: Used


def load_catalogue() -> Catalogue:
    """Every active service."""
    close_old_connections()
    return Catalogue.of(
        ServiceFacts(
            service.pk,
            service.slug,
            str(service),
            cast("KeyTypeName", service.key_type),
            service.unit,
            service.path,
            SessionPart[service.session_role.upper() or "NONE"],
        )
        for service in Service.objects.filter(is_active=True)
    )


def load_keys(lookup_digests: Sequence[str]) -> dict[str, KeySnapshot]:
    """The keys with these digests as they are now, by digest; none for a digest of no key.

    One query where there is none of them, a handful for any number.
    """
    close_old_connections()
    known = _known(lookup_digests)
    if not known:
        return {}
    keys = list(
        ApiKey.objects.select_related("account__plan", "account__next_plan", "account__budget")
        .prefetch_related("restrictions", "services", "blocked_origins")
        .filter(lookup_digest__in=known)
        .order_by()
    )
    now = utc_now()
    today = day_of(now, settings.BILLING_ZONE)
    # The store's clock decides; behind ours, it may still be in the day, and the month, before.
    first_day = day_of(now - CLOCKS_APART, settings.BILLING_ZONE)
    money = _money([key for key in keys if key.revoked_at is None], today, first_day)
    return {key.lookup_digest: _snapshot(key, today, money.get(key.pk, _NO_MONEY)) for key in keys}


def _known(lookup_digests: Sequence[str]) -> list[str]:
    """Those that are digests of keys. In SQL: all that a flood costs, and a queryset costs four times as much."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lookup_digest FROM keys_apikey WHERE lookup_digest = ANY(%s)", [list(lookup_digests)])
        return [digest for (digest,) in cursor.fetchall()]


def _snapshot(key: ApiKey, today: date, money: Money) -> KeySnapshot:
    account, plan = key.account, key.account.plan
    return KeySnapshot(
        key_id=key.pk,
        account_id=account.pk,
        type=cast("KeyTypeName", key.type),
        is_revoked=key.revoked_at is not None,
        is_disabled=key.disabled_at is not None or not account.is_active,
        expires_at_us=None if key.expires_at is None else to_epoch_us(key.expires_at),
        restrictions=Restrictions.of(
            (restriction.text for restriction in key.restrictions.all()),
            allows_no_origin=key.allows_no_origin,
            blocked=(blocked.host for blocked in key.blocked_origins.all()),
        ),
        rate_limit=min(plan.rate_limit, key.rate_limit or plan.rate_limit),
        rate_window_s=plan.rate_window_s,
        requests_per_day=lower_of(
            key.requests_per_day, plan.requests_per_day, key.spike_quota_on(today, settings.BILLING_ZONE)
        ),
        requests_per_month=plan.requests_per_month,
        map_loads_per_month=plan.map_loads_per_month,
        prices=money.prices,
        tiered=money.tiered,
        credit=money.credit,
        used=money.used,
        services=frozenset(service.pk for service in key.services.all()) or None,
        lineage_id=key.lineage_id,
        is_report_only=key.is_report_only,
        own=_own_limits(key),
    )


def _own_limits(key: ApiKey) -> OwnLimits | None:
    budget: Budget | None = getattr(key.account, "budget", None)
    own = OwnLimits(
        key.requests_per_month,
        key.spend_cap_micro_usd,
        None if budget is None else budget.amount_micro_usd,
    )
    return None if own == OwnLimits() else own


# Of a key that is refused for good nothing is counted, only recorded: it has to be known fast.
_NO_MONEY = Money({}, {}, Credit(0, 0, 0, 0), Used())


def _money(keys: Collection[ApiKey], today: date, first_day: date) -> dict[int, Money]:
    """By key id."""
    if not keys:
        return {}
    accounts = {key.account_id: key.account for key in keys}
    (prices, tiered), credits = _prices(first_day), _credits(accounts.values(), Month.of(first_day))
    used_by_key, used_by_account = _used_today(keys, today), _used_this_month(accounts, today)
    own_used = _own_used_this_month([key for key in keys if _own_limits(key) is not None], today)
    units = _units_this_month(accounts, [service for service, price in tiered.items() if price.counts_units], today)
    return {
        key.pk: Money(
            prices,
            tiered,
            credits[key.account_id],
            Used(
                day=day_number(today),
                n_key_today=used_by_key.get(key.counted_id, 0),
                month=Month.of(today).number,
                **used_by_account.get(key.account_id, {}),
                **own_used.get(key.counted_id, {}),
                units=units.get(key.account_id, {}),
            ),
        )
        for key in keys
    }


def _prices(day: date) -> tuple[dict[int, int], dict[int, ServicePrice]]:
    """What a unit costs by service id, and where that is not all: volume matters, or another price is to come."""
    book = price_book()
    now, then = books_on(day, book), next_prices(day, book)
    tiered = {}
    for service_id in now.keys() | then.keys():
        tiers = now[service_id].tiers if service_id in now else Tiers.flat(0)
        if (coming := then.get(service_id)) is not None:
            from_us = to_epoch_us(day_start(coming.effective_on, settings.BILLING_ZONE))
            tiered[service_id] = ServicePrice(tiers, coming.tiers, from_us)
        elif not tiers.is_flat:
            tiered[service_id] = ServicePrice(tiers)
    return {service_id: price.price_micro_usd for service_id, price in now.items()}, tiered


def _units_this_month(accounts: Iterable[int], services: Collection[int], today: date) -> dict[int, dict[int, int]]:
    """Charged units of those services, by account and service id."""
    if not services:
        return {}
    rows = (
        DailyUsage.objects.filter(
            COUNTED,
            account_id__in=accounts,
            service_id__in=services,
            day_on__gte=Month.of(today).first_day,
            day_on__lte=today,
        )
        .values_list("account_id", "service_id")
        .annotate(Sum("units"))
    )
    units: dict[int, dict[int, int]] = {}
    for account_id, service_id, n in rows:
        units.setdefault(account_id, {})[service_id] = n
    return units


def _credits(accounts: Collection[Account], month: Month) -> dict[int, Credit]:
    """What may be spent in `month` and the one after it, by account id."""
    money = months_money_of(accounts)
    return {
        account.pk: Credit(
            month.number,
            allowance_of(account, month, money[account.pk]),
            month.next.number,
            allowance_of(account, month.next, money[account.pk]),
        )
        for account in accounts
    }


# What the rollups know of this month is used only where the store has lost or never had a counter.

# What counts against the limits: each allowed request, whether it was charged or covered by its session.
COUNTED = Q(outcome=OUTCOMES[Outcome.ALLOWED].number) & ~Q(service__unit=Unit.NONE)


def _used_today(keys: Iterable[ApiKey], today: date) -> dict[int, int]:
    """Requests that count against each key's limit, those of its whole lineage, by the id that they count by."""
    counted_ids = counted_ids_of(keys)
    of_whom = {"account_id__in": {key.account_id for key in keys}, "key_id__in": counted_ids.keys()}
    sums = DailyUsage.objects.filter(COUNTED, **of_whom, day_on=today).values_list("key_id")
    used: Counter[int] = Counter()
    for key_id, n_requests in sums.annotate(Sum("n_requests")):
        used[counted_ids[key_id]] += n_requests
    return used


def _used_this_month(account_ids: Iterable[int], today: date) -> dict[int, dict[str, int]]:
    """Requests, map loads and micro-dollars of each account that has used any, by account id."""
    is_map_load = Q(service__unit=Unit.MAP_LOAD)
    rows = (
        DailyUsage.objects.filter(
            COUNTED, account_id__in=account_ids, day_on__gte=Month.of(today).first_day, day_on__lte=today
        )
        .values("account_id")
        .annotate(
            requests=Sum("n_requests", filter=~is_map_load, default=0),
            map_loads=Sum("n_requests", filter=is_map_load, default=0),
            spent_micro_usd=Sum("cost_micro_usd", default=0),
        )
    )
    return {
        row["account_id"]: {
            "n_requests": row["requests"],
            "n_map_loads": row["map_loads"],
            "spent_micro_usd": row["spent_micro_usd"],
        }
        for row in rows
    }


def _own_used_this_month(keys: Collection[ApiKey], today: date) -> dict[int, dict[str, int]]:
    """Requests (map loads alike) and micro-dollars of each of `keys` and its lineage, by the id that they count by."""
    if not keys:
        return {}
    counted_ids = counted_ids_of(keys)
    rows = (
        DailyUsage.objects.filter(
            COUNTED,
            account_id__in={key.account_id for key in keys},
            key_id__in=counted_ids.keys(),
            day_on__gte=Month.of(today).first_day,
            day_on__lte=today,
        )
        .values_list("key_id")
        .annotate(Sum("n_requests"), Sum("cost_micro_usd"))
    )
    used: dict[int, dict[str, int]] = {}
    for key_id, n_requests, spent in rows:
        sums = used.setdefault(counted_ids[key_id], {"n_key_this_month": 0, "key_spent_micro_usd": 0})
        sums["n_key_this_month"] += n_requests
        sums["key_spent_micro_usd"] += spent
    return used
