"""Reads all that the statistics page shows: a handful of queries, whatever the period, however much was used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import assert_never

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account, CreditPeriod
from goongdash.lib.periods import Month, day_of
from keys.models import ApiKey, KeyType, Service
from keys.selectors import newest_keys
from stats.charts import N_HUES, PARTS_SWATCH, UNKNOWN_SWATCH, ServiceFacts
from stats.cut_charts import CutChart, GroupName, cut_chart, cut_series, with_credit_line
from stats.cuts import busiest_hour, usage_cut, usage_totals
from stats.forms import key_label
from stats.models import DailyUsage
from stats.outcomes import OUTCOMES, Outcome
from stats.overview import UsageOverview, group_lines, outcome_lines
from stats.periods import Grain, Period, hour_of
from stats.queries import OTHER, BusiestHour, Dimension, Group, Measure, UsageCut, UsageQuery, minute_of
from stats.selectors import service_facts
from stats.series import Bucket
from stats.spans import MAX_DAYS_BY_HOUR
from stats.usage_views import ChartKind, UsageView, group_text

_TONES = {"good": "1", "warn": "4", "bad": UNKNOWN_SWATCH}


def usage_overview(account: Account, view: UsageView, *, services: Sequence[Service], now: datetime) -> UsageOverview:
    """What `view` shows of `account`.

    Its sums in one query, so that all its parts agree; the period before, the busiest hour (where there are few), the
    names of keys and the credit in one each.
    """
    zone = settings.BILLING_ZONE
    query = view.query(account.pk, {service.slug: service.pk for service in services}, zone)
    cut = usage_cut(query)
    facts = service_facts(services)
    names = group_names(cut.groups, view.by, account=account, services=facts)
    return UsageOverview(
        totals=cut.totals,
        before=usage_totals(query.before(zone)),
        n_parts=sum(totals.n_requests for group, totals in cut.by_group.items() if names[group].is_part),
        groups=group_lines(cut, names, view.measure, lambda name: _link(view.drilled(name.text))),
        outcomes=outcome_lines(cut.outcomes),
        chart=_chart(account, view, query, cut, names, now),
        busiest=busiest_hour(query) if has_few_hours(view) else None,
    )


def has_few_hours(view: UsageView) -> bool:
    """Whether the busiest hour is found at once; of many days the page asks for it after itself."""
    return view.span.days.n_days <= MAX_DAYS_BY_HOUR


def usage_busiest(account: Account, view: UsageView, *, services: Sequence[Service]) -> BusiestHour | None:
    """The busiest hour of what `view` shows of `account`, in one query."""
    ids = {service.slug: service.pk for service in services}
    return busiest_hour(view.query(account.pk, ids, settings.BILLING_ZONE))


def group_names(
    groups: Iterable[Group], by: Dimension, *, account: Account, services: dict[int, ServiceFacts]
) -> dict[Group, GroupName]:
    """How the page calls each group: one query where they are keys, else none."""
    groups = list(groups)
    keys = newest_keys(account, [group for group in groups if isinstance(group, int)]) if by is Dimension.KEY else {}
    slugs = {pk: facts.slug for pk, facts in services.items()}
    return {
        group: _name(group, by, position, keys, services, group_text(by, group, slugs) if group is not OTHER else "")
        for position, group in enumerate(groups)
    }


def _name(
    group: Group,
    by: Dimension,
    position: int,
    keys: dict[int, ApiKey],
    services: dict[int, ServiceFacts],
    text: str,
) -> GroupName:
    swatch = str(1 + position % N_HUES)
    if group is OTHER:
        return GroupName(_("All others"), PARTS_SWATCH, text)
    match by:
        case Dimension.KEY:
            key = keys.get(group) if isinstance(group, int) else None
            return GroupName(f"#{group}", swatch, text) if key is None else _key_name(key, swatch)
        case Dimension.TYPE:
            return GroupName(str(KeyType(group).label) if group in KeyType.values else "–", swatch, text)
        case Dimension.SERVICE:
            facts = services.get(group) if isinstance(group, int) else None
            if facts is None:
                return GroupName(_("No such service"), UNKNOWN_SWATCH, text)
            return GroupName(facts.label, facts.swatch, text, is_part=facts.is_part)
        case Dimension.OUTCOME:
            outcome = OUTCOMES[Outcome(str(group))]
            tone = _TONES["good"] if outcome.tone == "good" else str(2 + position % (N_HUES - 1))
            return GroupName(outcome.label, tone, text)
        case Dimension.ORIGIN:
            return GroupName(str(group) or _("No origin named"), swatch, text)
        case Dimension.COUNTRY:
            return GroupName(str(group) or _("Unknown"), swatch, text)
        case _:
            assert_never(by)


def _key_name(key: ApiKey, swatch: str) -> GroupName:
    return GroupName(key_label(key, key.name), swatch, str(key.pk))


def _chart(
    account: Account, view: UsageView, query: UsageQuery, cut: UsageCut, names: dict[Group, GroupName], now: datetime
) -> CutChart:
    zone = settings.BILLING_ZONE
    buckets = query.buckets(zone)
    series = cut_series(
        cut,
        buckets=buckets,
        measure=view.measure,
        names=names,
        parts_label=_("Parts of map loads"),
        href_of=lambda name: _link(view.drilled(name.text)),
    )
    chart = cut_chart(
        series,
        buckets=buckets,
        measure=view.measure,
        is_lines=view.kind is ChartKind.LINES,
        zone=zone,
        hrefs=_zooms(view, query.grain, buckets),
        unfinished=_unfinished(query.grain, buckets, now),
    )
    if view.measure is Measure.COST and query.grain is Grain.DAY:
        return _with_credit(account, chart, query, now)
    return chart


def _with_credit(account: Account, chart: CutChart, query: UsageQuery, now: datetime) -> CutChart:
    """What each day left of the month's free credit, whatever of the usage is looked at."""
    zone = settings.BILLING_ZONE
    days = [bucket for bucket in query.buckets(zone) if isinstance(bucket, date)]
    plan = account.plan
    if plan.credit_period != CreditPeriod.MONTHLY or not plan.credit_micro_usd or not days:
        return chart
    since = Month.of(days[0]).first_day
    spent = (
        DailyUsage.objects.filter(account=account, day_on__gte=since, day_on__lte=days[-1])
        .values_list("day_on")
        .annotate(Sum("cost_micro_usd"))
        .order_by()
    )
    return with_credit_line(
        chart,
        days=days,
        spent_by_day=dict(spent),
        credit_micro_usd=plan.credit_micro_usd,
        today=day_of(now, zone),
    )


def _zooms(view: UsageView, grain: Grain, buckets: Sequence[Bucket]) -> list[str]:
    """A link into each bucket, where it can be cut finer: a month into its days, a day into its hours; else none."""
    days = [bucket for bucket in buckets if not isinstance(bucket, datetime)]
    if grain is Grain.MONTH:
        periods = [Period(Month.of(day).first_day, Month.of(day).last_day) for day in days]
    elif grain is Grain.DAY and not view.needs_days:
        periods = [Period(day, day) for day in days]
    else:
        return [""] * len(buckets)
    page = reverse("stats:statistics")
    return [f"{page}?{url_query}" for url_query in view.url_queries_of(periods)]


def _unfinished(grain: Grain, buckets: Sequence[Bucket], now: datetime) -> int | None:
    """The place of the bucket that is still under way."""
    zone = settings.BILLING_ZONE
    today = day_of(now, zone)
    running: Bucket = {
        Grain.MINUTE: minute_of(now),
        Grain.HOUR: hour_of(now, zone),
        Grain.DAY: today,
        Grain.MONTH: Month.of(today).first_day,
    }[grain]
    return next((n for n, bucket in enumerate(buckets) if bucket == running), None)


def _link(view: UsageView) -> str:
    return f"{reverse('stats:statistics')}?{view.url_query}"
