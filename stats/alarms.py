"""Looks at the use of all keys together, tells accounts what is out of the ordinary, and holds keys that are to be.

Runs each minute; what it has told of is told once, since notices and origins remember it. A few queries for all
keys, however many there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Sum

from accounts.notice_kinds import Facts, NoticeKind
from accounts.notices import NewNotice, notices_raise
from accounts.permissions import Permission
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, day_start
from keys.guarding import key_cut, key_disable_for_spike
from keys.models import ApiKey, KeyOrigin, OnSpike
from stats.models import DailyUsage
from stats.outcomes import OUTCOMES, Outcome
from stats.periods import hour_of
from stats.spikes import DAYS, Findings, KeySpike, KeyUse, OriginUse, Thresholds, findings

# Kind, source and facts of a notice.
_Told = tuple[NoticeKind, str, Facts]
_ALLOWED = OUTCOMES[Outcome.ALLOWED].number
# The busiest hour of each day, by the index that begins with the account.
_BUSIEST = """
    SELECT key_id, array_agg(busiest) FROM (
        SELECT key_id, max(n) AS busiest FROM (
            SELECT key_id, hour_at, sum(units) AS n FROM stats_hourlyusage
            WHERE account_id = ANY(%(accounts)s) AND hour_at >= %(first)s AND hour_at < %(today)s
              AND key_id = ANY(%(keys)s) AND outcome = %(allowed)s
            GROUP BY key_id, hour_at
        ) AS hours WHERE n > 0 GROUP BY key_id, (hour_at AT TIME ZONE %(zone)s)::date
    ) AS days GROUP BY key_id
"""


def usage_watch() -> int:
    """Raises the notices that the last hour is worth, and returns how many. Safe to run twice and beside itself."""
    now, limits = utc_now(), thresholds()
    hour_at = hour_of(now, settings.BILLING_ZONE)
    key_ids = _to_be_looked_at(limits, hour_at)
    if not key_ids:
        return 0
    keys = {key.pk: key for key in ApiKey.objects.filter(pk__in=key_ids, revoked_at=None).select_related("account")}
    uses = _uses(keys.values(), hour_at, now)
    found = {key_id: findings(use, limits, now=now) for key_id, use in uses.items()}
    _weighed([origin_id for each in found.values() if not each.is_news for origin_id in each.weighed], now)
    return sum(_tell(keys[key_id], each, now) for key_id, each in found.items() if each.is_news)


def thresholds() -> Thresholds:
    return Thresholds(
        learning=timedelta(hours=settings.ORIGIN_LEARNING_HOURS),
        origin_min_requests=settings.ORIGIN_MIN_REQUESTS,
        origin_spike_min_requests=settings.ORIGIN_SPIKE_MIN_REQUESTS,
        origin_spike_percent=settings.ORIGIN_SPIKE_PERCENT,
        origin_usual_percent=settings.ORIGIN_USUAL_PERCENT,
        key_factor=settings.KEY_SPIKE_FACTOR,
        key_min_requests=settings.KEY_SPIKE_MIN_REQUESTS,
        key_learning_days=settings.KEY_SPIKE_LEARNING_DAYS,
    )


def _to_be_looked_at(limits: Thresholds, hour_at: datetime) -> set[int]:
    """Keys with so many requests this hour that they can be a spike, and those with an origin to be weighed."""
    n_few = min(limits.key_min_requests, limits.origin_spike_min_requests)
    busy = KeyOrigin.objects.filter(hour_at=hour_at).values("key").annotate(n=Sum("n_hour")).filter(n__gte=n_few)
    fresh = KeyOrigin.objects.filter(weighed_at=None, n_requests__gte=limits.origin_min_requests, key__revoked_at=None)
    return {*busy.values_list("key", flat=True), *fresh.values_list("key", flat=True)}


def _uses(keys: Collection[ApiKey], hour_at: datetime, now: datetime) -> dict[int, KeyUse]:
    """By key id, in two queries for the origins and one for the hours of the days before."""
    of_keys = KeyOrigin.objects.filter(key__in=[key.pk for key in keys])
    totals = of_keys.values("key").annotate(began_at=Min("first_seen_at"), n=Sum("n_requests"))
    told = of_keys.filter(told_at__gt=now - timedelta(days=1)).values("key").annotate(n=Count("pk"))
    n_told = dict(told.values_list("key", "n"))
    origins: dict[int, list[OriginUse]] = defaultdict(list)
    for row in of_keys.filter(hour_at=hour_at) | of_keys.filter(weighed_at=None):
        origins[row.key_id].append(_origin_use(row, hour_at))
    busiest = _busiest(keys, now)
    return {
        row["key"]: KeyUse(
            began_at=row["began_at"],
            n_requests=row["n"],
            n_hour=sum(origin.n_hour for origin in origins[row["key"]]),
            origins=origins[row["key"]],
            n_told=n_told.get(row["key"], 0),
            busiest=busiest.get(row["key"], ()),
        )
        for row in totals
    }


def _origin_use(row: KeyOrigin, hour_at: datetime) -> OriginUse:
    return OriginUse(
        id=row.pk,
        origin=row.origin,
        first_seen_at=row.first_seen_at,
        n_requests=row.n_requests,
        n_hour=row.n_hour if row.hour_at == hour_at else 0,
        is_weighed=row.weighed_at is not None,
        told_at=row.told_at,
    )


def _busiest(keys: Iterable[ApiKey], now: datetime) -> Mapping[int, list[int]]:
    today = day_of(now, settings.BILLING_ZONE)
    with connection.cursor() as cursor:
        cursor.execute(
            _BUSIEST,
            {
                "accounts": list({key.account_id for key in keys}),
                "keys": [key.pk for key in keys],
                "first": day_start(today - timedelta(days=DAYS), settings.BILLING_ZONE),
                "today": day_start(today, settings.BILLING_ZONE),
                "allowed": _ALLOWED,
                "zone": settings.BILLING_TIME_ZONE,
            },
        )
        return {key_id: [int(n) for n in busiest] for key_id, busiest in cursor.fetchall()}


@transaction.atomic
def _tell(key: ApiKey, found: Findings, now: datetime) -> int:
    """Notices, what is done to the key, and what is remembered of its origins, all or nothing."""
    day = day_of(now, settings.BILLING_ZONE)
    n_raised = len(notices_raise(_origin_notices(key, found, day.isoformat())))
    if found.key_spike is not None:
        n_raised += _tell_spike(key, found.key_spike, now)
    _weighed(found.weighed, now)
    KeyOrigin.objects.filter(pk__in=found.told).update(told_at=now)
    return n_raised


def _weighed(origin_ids: Sequence[int], now: datetime) -> None:
    if origin_ids:
        KeyOrigin.objects.filter(pk__in=origin_ids, weighed_at=None).update(weighed_at=now)


def _origin_notices(key: ApiKey, found: Findings, day: str) -> list[NewNotice]:
    named: dict[str, str | int] = {"key": key.name, "key_id": key.pk}
    first: list[_Told] = [
        (NoticeKind.ORIGIN_FIRST_SEEN, f"origin:{o.id}", {"origin": o.origin, "n_requests": o.n_requests})
        for o in found.first_seen
    ]
    spikes: list[_Told] = [
        (
            NoticeKind.ORIGIN_SPIKE,
            f"origin:{spike.origin.id}:{day}",
            {"origin": spike.origin.origin, "n_requests": spike.origin.n_hour, "percent": spike.percent},
        )
        for spike in found.spikes
    ]
    return [
        NewNotice(key.account_id, kind, source, {**named, **facts}, Permission.SEE)
        for kind, source, facts in (*first, *spikes)
    ]


_SPIKE_KINDS = {
    OnSpike.REPORT: NoticeKind.KEY_SPIKE,
    OnSpike.QUOTA: NoticeKind.KEY_SPIKE_QUOTA,
    OnSpike.DISABLE: NoticeKind.KEY_SPIKE_DISABLED,
}


def _tell_spike(key: ApiKey, spike: KeySpike, now: datetime) -> bool:
    """Once a day for a key, and so is what is done to it: whoever has lifted that is not overruled the same day."""
    day = day_of(now, settings.BILLING_ZONE)
    facts: dict[str, str | int] = {
        "key": key.name,
        "key_id": key.pk,
        "n_requests": spike.n_hour,
        "n_usual": spike.n_usual,
        "quota": settings.KEY_SPIKE_QUOTA,
        "origin": spike.origin.origin if spike.origin else "",
    }
    kind = _SPIKE_KINDS[OnSpike(key.on_spike)]
    if not notices_raise([NewNotice(key.account_id, kind, f"key:{key.pk}:{day}", facts, Permission.SEE)]):
        return False
    match OnSpike(key.on_spike):
        case OnSpike.QUOTA:
            key_cut(key=key, quota=_n_today(key, now) + settings.KEY_SPIKE_QUOTA, at=now)
        case OnSpike.DISABLE:
            key_disable_for_spike(key=key, at=now)
        case OnSpike.REPORT:
            pass
    return True


def _n_today(key: ApiKey, now: datetime) -> int:
    """What counts against the key's daily limit so far."""
    today = DailyUsage.objects.filter(
        account=key.account_id, key=key.pk, day_on=day_of(now, settings.BILLING_ZONE), outcome=_ALLOWED
    )
    return int(today.aggregate(n=Sum("units", default=0))["n"])
