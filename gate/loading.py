"""Reads keys and services from PostgreSQL into snapshots: the only part of the gate that does.

Runs in a thread; raises django.db.DatabaseError where PostgreSQL does not answer.
"""

from __future__ import annotations

from datetime import date
from typing import cast

from django.conf import settings
from django.db import close_old_connections
from django.db.models import Q, Sum

from accounts.models import Account
from billing.selectors import allowance_of, current_prices, months_money
from gate.snapshot import Catalogue, Credit, KeySnapshot, ServiceFacts, SessionPart, Used
from goongdash.lib.clock import to_epoch_us, utc_now
from goongdash.lib.periods import Month, day_number, day_of
from keys.key_text import KeyTypeName
from keys.models import ApiKey, Service, Unit
from keys.restrictions import Restrictions
from stats.models import DailyUsage
from stats.outcomes import OUTCOMES, Outcome


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


def load_key(lookup_digest: str) -> KeySnapshot | None:
    """The key with this digest as it is now, None where there is none."""
    close_old_connections()
    key = (
        ApiKey.objects.select_related("account__plan")
        .prefetch_related("restrictions")
        .filter(lookup_digest=lookup_digest)
        .first()
    )
    if key is None:
        return None
    account, plan = key.account, key.account.plan
    today = day_of(utc_now(), settings.BILLING_ZONE)
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
        ),
        rate_limit=plan.rate_limit,
        rate_window_s=plan.rate_window_s,
        requests_per_day=_lower(key.requests_per_day, plan.requests_per_day),
        requests_per_month=plan.requests_per_month,
        map_loads_per_month=plan.map_loads_per_month,
        prices=current_prices(today),
        credit=_credit(account, today),
        used=_used(key, today),
    )


def _lower(first: int | None, second: int | None) -> int | None:
    return min((limit for limit in (first, second) if limit is not None), default=None)


def _credit(account: Account, today: date) -> Credit:
    months = months_money(account)
    month = Month.of(today)
    return Credit(
        month.number,
        allowance_of(account, month, months),
        month.next.number,
        allowance_of(account, month.next, months),
    )


def _used(key: ApiKey, today: date) -> Used:
    """What the rollups know of this month: used only where the store has lost or never had a counter."""
    allowed = Q(outcome=OUTCOMES[Outcome.ALLOWED].number)
    is_map_load = Q(service__unit=Unit.MAP_LOAD)
    sums = DailyUsage.objects.filter(
        allowed, account_id=key.account_id, day_on__gte=Month.of(today).first_day, day_on__lte=today
    ).aggregate(
        n_key_today=Sum("units", filter=Q(key_id=key.pk, day_on=today)),
        n_requests=Sum("units", filter=~is_map_load),
        n_map_loads=Sum("units", filter=is_map_load),
        spent_micro_usd=Sum("cost_micro_usd"),
    )
    return Used(day=day_number(today), month=Month.of(today).number, **{name: n or 0 for name, n in sums.items()})
