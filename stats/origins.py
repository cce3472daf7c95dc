"""Reads where a key's requests came from, from the daily sums by origin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Max, Min, Q, QuerySet, Sum

from goongdash.lib.periods import day_of
from keys.models import ApiKey
from keys.origins import parse_url
from keys.restrictions import Restrictions
from stats.models import DailyOriginUsage
from stats.outcomes import OUTCOMES, Outcome
from stats.repairs import entry_for_origin
from stats.series import percent

DAYS = 7
N_SHOWN = 10

_IS_ALLOWED = Q(outcome=OUTCOMES[Outcome.ALLOWED].number)
_IS_NOT_ALLOWED = Q(outcome=OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number)
_SUMS = {
    "n": Sum("n_requests"),
    "refused": Sum("n_requests", filter=~_IS_ALLOWED, default=0),
    "not_allowed": Sum("n_requests", filter=_IS_NOT_ALLOWED, default=0),
    "first_on": Min("day_on"),
    "last_on": Max("day_on"),
}


@dataclass(frozen=True, slots=True)
class OriginLine:
    """`origin` is empty where the requests named none.

    `to_allow` is the entry that would let it pass, where the key's list refused it and would again; else empty.
    """

    origin: str
    n_requests: int
    n_refused: int
    percent: float
    first_on: date
    last_on: date
    to_allow: str = ""


@dataclass(frozen=True, slots=True)
class Origins:
    """The most frequent ones, and how many requests came from any other."""

    lines: list[OriginLine]
    n_others: int = 0


def top_origins(key: ApiKey, *, now: datetime) -> Origins:
    """Of today and the days before it, DAYS in all, as the page's chart has them.

    All of the key's origins are read: a day has sums of its own for a few dozen, and one for all others.
    """
    today = day_of(now, settings.BILLING_ZONE)
    sums: QuerySet[Any] = DailyOriginUsage.objects.filter(
        account=key.account_id, key=key, day_on__gte=today - timedelta(days=DAYS - 1), day_on__lte=today
    )
    rows = list(sums.values("origin").annotate(**_SUMS).order_by("-n", F("origin").asc()))
    n_all = sum(row["n"] for row in rows)
    shown = [row for row in rows if row["origin"] is not None][:N_SHOWN]
    restrictions = Restrictions.of(restriction.text for restriction in key.restrictions.all()) if shown else None
    lines = [
        OriginLine(
            row["origin"],
            row["n"],
            row["refused"],
            percent(row["n"], n_all),
            row["first_on"],
            row["last_on"],
            _to_allow(row["origin"], row["not_allowed"], restrictions) if restrictions else "",
        )
        for row in shown
    ]
    return Origins(lines, n_others=n_all - sum(line.n_requests for line in lines))


def _to_allow(origin: str, n_not_allowed: int, restrictions: Restrictions) -> str:
    page = parse_url(origin)
    has_list = restrictions.patterns or restrictions.ip_ranges
    if page is None or not n_not_allowed or not has_list or any(p.matches(page) for p in restrictions.patterns):
        return ""
    return entry_for_origin(origin)
