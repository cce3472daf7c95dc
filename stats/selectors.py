"""Reads usage: from the hourly and daily sums only, always of one account, which their indexes begin with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet, Sum

from accounts.models import Account
from keys.models import ApiKey, Service, Unit
from keys.selectors import counted_ids_of
from stats.charts import ServiceFacts
from stats.models import DailyUsage, HourlyUsage, ShardCursor
from stats.outcomes import BY_NUMBER
from stats.periods import Grain, Period
from stats.series import UsageRow
from stats.stream import shard_of


def usage_sums(*, account: Account, period: Period, grain: Grain, key: ApiKey | None = None) -> QuerySet[Any]:
    """The sums of an account (or of one of its keys) in a period of the installation's zone, as `bucket`s."""
    of_whom: dict[str, Any] = {"account": account} if key is None else {"account": account, "key": key}
    if grain is Grain.DAY:
        daily = DailyUsage.objects.filter(**of_whom, day_on__gte=period.first, day_on__lte=period.last)
        return daily.annotate(bucket=F("day_on"))
    start, end = period.bounds(settings.BILLING_ZONE)
    hourly = HourlyUsage.objects.filter(**of_whom, hour_at__gte=start, hour_at__lt=end)
    return hourly.annotate(bucket=F("hour_at"))


def usage_rows(*, account: Account, period: Period, key: ApiKey | None = None) -> list[UsageRow]:
    """What each service had of each outcome in each bucket of `period`, in one query."""
    sums = usage_sums(account=account, period=period, grain=period.grain, key=key)
    rows = (
        sums.values("bucket", "service_id", "outcome")
        .annotate(n=Sum("n_requests"), u=Sum("units"), cost=Sum("cost_micro_usd"))
        .order_by("bucket")
    )
    return [
        UsageRow(row["bucket"], row["service_id"], BY_NUMBER[row["outcome"]], row["n"], row["u"], row["cost"])
        for row in rows
    ]


def service_facts(services: Iterable[Service]) -> dict[int, ServiceFacts]:
    return {
        service.pk: ServiceFacts(
            slug=service.slug,
            name=service.name_said,
            version=service.api_version,
            position=service.position,
            is_part=service.unit == Unit.NONE,
        )
        for service in services
    }


def requests_on(*, account: Account, day: date, key_ids: Iterable[int]) -> dict[int, int]:
    """How many requests of that day count against each key's limit for it; a key without any is left out."""
    sums = DailyUsage.objects.filter(account=account, day_on=day, key_id__in=list(key_ids), units__gt=0)
    return dict(sums.values_list("key_id").annotate(n=Sum("units")).order_by())


def requests_counted_on(*, account: Account, day: date, keys: Iterable[ApiKey]) -> dict[int, int]:
    """The same for each key and all that are of one lineage with it, which share its limit: by counted id."""
    counted_ids = counted_ids_of(keys)
    requests: Counter[int] = Counter()
    for key_id, n in requests_on(account=account, day=day, key_ids=counted_ids).items():
        requests[counted_ids[key_id]] += n
    return requests


def usage_counted_at(account: Account) -> datetime | None:
    """When usage was last added to the sums of the account's shard; None if it never was."""
    return ShardCursor.objects.filter(shard=shard_of(account.pk)).values_list("rolled_up_at", flat=True).first()
