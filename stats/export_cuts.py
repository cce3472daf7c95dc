"""What `export_usage` is asked for by a cut: the filters of the statistics page, and any grain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from django.conf import settings
from django.http import QueryDict

from accounts.models import Account
from goongdash.lib.periods import day_of
from keys.models import Service
from stats.periods import Grain
from stats.queries import Dimension
from stats.retention import hours_from, minutes_from
from stats.usage_filters import usage_filters
from stats.usage_views import UsageView


def cut_asked(
    account: Account,
    *,
    first: date,
    last: date,
    grain: Grain,
    by: Dimension,
    held_to: Iterable[str],
    services: list[Service],
    now: datetime,
) -> UsageView:
    """The view of these days; `held_to` are filters such as ``service=geocode``.

    Raises ValueError, its sentence meant for the operator, and Http404 for a key that is not the account's.
    """
    query = QueryDict(mutable=True)
    query.update({"from": first.isoformat(), "to": last.isoformat(), "by": by.value})
    for text in held_to:
        name, mark, value = text.partition("=")
        if not mark or name not in set(Dimension):
            raise ValueError(f"“{text}” is no filter; write it as service=geocode. There are {', '.join(Dimension)}.")
        query.appendlist(name, value)
    filters = usage_filters(query, account=account, services=services, now=now, n_keys=0)
    if not filters.is_valid():
        raise ValueError(" ".join(message for _, message in filters.faults))
    view = filters.view
    if view.needs_days and grain in (Grain.MINUTE, Grain.HOUR):
        raise ValueError("Origins and countries are known by the day: choose the grain day or month.")
    if view.needs_days:
        return replace(view, grain=grain)
    kept = {Grain.MINUTE: minutes_from, Grain.HOUR: hours_from}.get(grain)
    if kept and first < (oldest := kept(day_of(now, settings.BILLING_ZONE))):
        raise ValueError(f"Sums by {grain} are kept from {oldest} on only.")
    # A page offers what can be looked at; a program may have as many rows as it likes.
    return replace(view, grain=grain, span=replace(view.span, grains=(grain,)))
