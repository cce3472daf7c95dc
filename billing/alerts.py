"""Tells accounts, by notices, that so many percent of a month's credit, budget or key's spend cap are used.

Runs every few seconds, over the accounts whose use was added to the sums since: a few queries for all of them. A
notice is one by its month and percent, so that an account that is looked at twice is told once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.models import Account
from accounts.notice_kinds import NoticeKind
from accounts.notices import NewNotice, notices_raise
from accounts.permissions import Permission
from billing.errors import ThresholdsInvalid
from billing.models import AlertCursor, AlertThresholds, Budget
from billing.months import months_money_of
from billing.selectors import allowance_of
from billing.thresholds import MAX_PERCENTS, USUAL_PERCENTS, percent_reached
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of
from keys.models import ApiKey
from stats.ingest import SHARD_BITS
from stats.models import ShardCursor
from stats.outcomes import OUTCOMES, Outcome

# What was used just before a month's end is in the sums only afterwards.
_AFTER_MONTH_END = timedelta(hours=1)
# Outcomes by whose presence a limit is known to bind.
_REFUSALS = {name: OUTCOMES[name].number for name in (Outcome.CREDIT_EXHAUSTED, Outcome.ACCOUNT_BUDGET)}
_KEY_BUDGET = OUTCOMES[Outcome.KEY_BUDGET].number

_WHO_SPENT = """
    SELECT DISTINCT account_id FROM stats_usagerecord
    WHERE id > %s AND id <= %s AND (cost_micro_usd > 0 OR outcome = ANY(%s))
"""
_SPENT = """
    SELECT account_id, sum(cost_micro_usd), bool_or(outcome = %(credit)s), bool_or(outcome = %(budget)s)
    FROM stats_dailyusage WHERE account_id = ANY(%(accounts)s) AND day_on BETWEEN %(first)s AND %(last)s GROUP BY 1
"""
# Keys of one lineage share their cap; the newest of them, which works, names it.
_SPENT_BY_CAPPED_KEYS = """
    SELECT newest.id, sum(used.cost_micro_usd), bool_or(used.outcome = %(cap)s)
    FROM (
        SELECT DISTINCT ON (coalesce(lineage_id, id)) id, account_id, coalesce(lineage_id, id) AS lineage
        FROM keys_apikey
        WHERE account_id = ANY(%(accounts)s) AND spend_cap_micro_usd IS NOT NULL AND revoked_at IS NULL
        ORDER BY coalesce(lineage_id, id), id DESC
    ) AS newest
    JOIN keys_apikey AS key ON key.account_id = newest.account_id AND coalesce(key.lineage_id, key.id) = newest.lineage
    JOIN stats_dailyusage AS used ON used.account_id = newest.account_id AND used.key_id = key.id
    WHERE used.day_on BETWEEN %(first)s AND %(last)s GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class _Spent:
    """What an account or a key used in a month, and whether limits refused it anything there."""

    micro_usd: int = 0
    is_credit_refused: bool = False
    is_limit_refused: bool = False


def spending_watch() -> int:
    """Tells of what was used since the last time; returns how many notices that made. Safe beside itself."""
    return sum(_watch_shard(shard, n) for shard, n in ShardCursor.objects.values_list("shard", "n_rolled_up"))


@transaction.atomic
def _watch_shard(shard: int, n_rolled_up: int) -> int:
    # From the first time on: what was used before is told of when more is used.
    cursor, _ = AlertCursor.objects.select_for_update().get_or_create(shard=shard, defaults={"n_watched": n_rolled_up})
    if cursor.n_watched >= n_rolled_up:
        return 0
    base, refusals = shard << SHARD_BITS, [*_REFUSALS.values(), _KEY_BUDGET]
    with connection.cursor() as sql:
        sql.execute(_WHO_SPENT, [base + cursor.n_watched, base + n_rolled_up, refusals])
        account_ids = [account_id for (account_id,) in sql.fetchall()]
    cursor.n_watched = n_rolled_up
    cursor.save(update_fields=["n_watched"])
    return thresholds_tell(account_ids=account_ids, now=utc_now()) if account_ids else 0


def thresholds_tell(*, account_ids: Collection[int], now: datetime) -> int:
    """Raises the notices that these accounts' spending of the month is worth; returns how many were new."""
    months = {Month.of(day_of(at, settings.BILLING_ZONE)) for at in (now - _AFTER_MONTH_END, now)}
    accounts = Account.objects.filter(pk__in=account_ids).select_related("plan", "next_plan")
    by_id = {account.pk: account for account in accounts}
    return sum(len(notices_raise(_notices(by_id, month))) for month in sorted(months))


def percents_of(account: Account) -> tuple[int, ...]:
    """At how many percent the account is told, ascending."""
    return _percents([account.pk])[account.pk]


@transaction.atomic
def percents_set(*, account: Account, percents: Iterable[int]) -> bool:
    """From now on the account is told at `percents`; returns whether that changed anything.

    Raises ThresholdsInvalid for what is no part of a whole, and for more than a person wants to hear of.
    """
    wanted = tuple(sorted(set(percents)))
    if len(wanted) > MAX_PERCENTS or any(not 1 <= percent <= 100 for percent in wanted):
        raise ThresholdsInvalid(_("Thresholds are whole percents from 1 to 100, and not many."))
    Account.objects.select_for_update().get(pk=account.pk)
    before = percents_of(account)
    if before == wanted:
        return False
    AlertThresholds.objects.update_or_create(account=account, defaults={"percents": list(wanted)})
    changes = {"percents": (_text(before), _text(wanted))}
    audit(AuditAction.ALERTS_SET, account=account, on=account, changes=changes)
    return True


def _notices(accounts: Mapping[int, Account], month: Month) -> Iterator[NewNotice]:
    spent, percents = _spent(accounts, month), _percents(accounts)
    spenders = [accounts[account_id] for account_id, each in spent.items() if each.micro_usd > 0]
    if not spenders:
        return
    yield from _of_credit(spenders, month, spent, percents)
    yield from _of_budgets(month, spent, percents)
    yield from _of_keys(spent, month, percents)


def _of_credit(
    accounts: list[Account], month: Month, spent: Mapping[int, _Spent], percents: Mapping[int, tuple[int, ...]]
) -> Iterator[NewNotice]:
    money = months_money_of(accounts)
    for account in accounts:
        used = spent[account.pk]
        percent = percent_reached(
            spent_micro_usd=used.micro_usd,
            limit_micro_usd=allowance_of(account, month, money[account.pk]),
            percents=percents[account.pk],
            is_refused=used.is_credit_refused,
        )
        if percent is not None:
            source, facts = f"{month}:{percent}", {"percent": percent}
            yield NewNotice(account.pk, NoticeKind.CREDIT_THRESHOLD, source, facts, Permission.SEE_BILLS)


def _of_budgets(
    month: Month, spent: Mapping[int, _Spent], percents: Mapping[int, tuple[int, ...]]
) -> Iterator[NewNotice]:
    budgets = Budget.objects.filter(account__in=list(spent)).values_list("account_id", "amount_micro_usd")
    for account_id, budget in budgets:
        used = spent[account_id]
        percent = percent_reached(
            spent_micro_usd=used.micro_usd,
            limit_micro_usd=budget,
            percents=percents[account_id],
            is_refused=used.is_limit_refused,
        )
        if percent is not None:
            # Another budget has parts of its own.
            source, facts = f"{month}:{percent}:{budget}", {"percent": percent, "budget_micro_usd": budget}
            yield NewNotice(account_id, NoticeKind.BUDGET_THRESHOLD, source, facts, Permission.SEE_BILLS)


def _of_keys(account_ids: Iterable[int], month: Month, percents: Mapping[int, tuple[int, ...]]) -> Iterator[NewNotice]:
    spent = _spent_by_capped_keys(account_ids, month)
    for key in ApiKey.objects.filter(pk__in=list(spent)) if spent else ():
        used, cap = spent[key.pk], key.spend_cap_micro_usd or 0
        percent = percent_reached(
            spent_micro_usd=used.micro_usd,
            limit_micro_usd=cap,
            percents=percents[key.account_id],
            is_refused=used.is_limit_refused,
        )
        if percent is not None:
            facts: dict[str, str | int] = {"key": key.name, "key_id": key.pk, "percent": percent, "cap_micro_usd": cap}
            source = f"key:{key.counted_id}:{month}:{percent}:{cap}"
            yield NewNotice(key.account_id, NoticeKind.KEY_CAP_THRESHOLD, source, facts, Permission.SEE)


def _spent(account_ids: Iterable[int], month: Month) -> dict[int, _Spent]:
    params = {"credit": _REFUSALS[Outcome.CREDIT_EXHAUSTED], "budget": _REFUSALS[Outcome.ACCOUNT_BUDGET]}
    rows = _rows(_SPENT, account_ids, month, params)
    return {account_id: _Spent(int(cost), bool(credit), bool(budget)) for account_id, cost, credit, budget in rows}


def _spent_by_capped_keys(account_ids: Iterable[int], month: Month) -> dict[int, _Spent]:
    rows = _rows(_SPENT_BY_CAPPED_KEYS, account_ids, month, {"cap": _KEY_BUDGET})
    return {key_id: _Spent(int(cost), is_limit_refused=is_refused) for key_id, cost, is_refused in rows}


def _rows(sql: str, account_ids: Iterable[int], month: Month, params: Mapping[str, int]) -> list[tuple[Any, ...]]:
    in_month: dict[str, Any] = {"accounts": list(account_ids), "first": month.first_day, "last": month.last_day}
    with connection.cursor() as cursor:
        cursor.execute(sql, {**in_month, **params})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _percents(account_ids: Iterable[int]) -> defaultdict[int, tuple[int, ...]]:
    rows = AlertThresholds.objects.filter(account__in=list(account_ids)).values_list("account_id", "percents")
    own = {account_id: tuple(percents) for account_id, percents in rows}
    return defaultdict(lambda: USUAL_PERCENTS, own)


def _text(percents: Iterable[int]) -> str:
    return ", ".join(f"{percent}%" for percent in percents)
