"""Makes the bills of a month for many accounts at once, from their sums and their ledger: closed or still running."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth

from accounts.models import Account
from billing.credit import MonthMoney
from billing.lines import Line, UsedUnits, bill, price_days
from billing.models import EntryKind, LedgerEntry
from billing.month_usage import month_usage
from billing.months import UsedInMonth, months_money_of
from billing.pricing import PriceOn
from billing.selectors import price_book
from goongdash.lib.periods import Month
from keys.models import Service


@dataclass(frozen=True, slots=True)
class MonthBill:
    """An account's month: what it pays, and the lines that add up to it."""

    account_id: int
    money: MonthMoney
    lines: tuple[Line, ...]


def month_bills(
    month: Month, account_ids: Collection[int], *, parts: Mapping[int, Sequence[UsedUnits]], prices: Sequence[PriceOn]
) -> list[MonthBill]:
    """The bills as the ledger stands, in order of `account_ids`; `parts` is what each has used. Four queries."""
    entries = LedgerEntry.objects.filter(account__in=account_ids).order_by()
    of_month = entries.filter(period_on=month.first_day)
    credit = _sums(of_month.filter(kind=EntryKind.MONTHLY_CREDIT).values_list("account_id"))
    charged = _sums(
        entries.filter(
            kind__in=(EntryKind.USAGE, EntryKind.LATE_USAGE),
            usage_on__gte=month.first_day,
            usage_on__lt=month.next.first_day,
        ).values_list("account_id")
    )
    late = late_by_month(of_month.filter(kind=EntryKind.LATE_USAGE))
    order = _service_order()
    return [
        _bill(
            month,
            account_id,
            MonthMoney(
                credit_micro_usd=credit.get(account_id, 0),
                usage_micro_usd=-charged.get(account_id, 0),
                late_micro_usd=sum(late[account_id].values()),
            ),
            parts.get(account_id, ()),
            late[account_id],
            prices,
            order,
        )
        for account_id in account_ids
    ]


def draft_bill(account: Account, month: Month) -> MonthBill:
    """The bill of a month that is not closed, as of now: usage as the daily sums have it, charged or not yet."""
    prices = price_book()
    used = [part for _, part in month_usage(month, price_days(month, prices), [account.pk])]
    # All of it by one look at the sums, which go on meanwhile.
    known = [UsedInMonth(account.pk, month, sum(part.cost_micro_usd for part in used))]
    money = months_money_of([account], known)[account.pk].get(month, MonthMoney())
    entries = LedgerEntry.objects.filter(account=account, period_on=month.first_day, kind=EntryKind.LATE_USAGE)
    late = late_by_month(entries.order_by())[account.pk]
    return _bill(month, account.pk, money, used, late, prices, _service_order())


def late_by_month(entries: QuerySet[LedgerEntry]) -> defaultdict[int, dict[date, int]]:
    """Micro-dollars of the late usage `entries` by account id and the first day of the month that they are of."""
    late: defaultdict[int, dict[date, int]] = defaultdict(dict)
    rows = entries.annotate(of_on=TruncMonth("usage_on")).values_list("account_id", "of_on")
    for account_id, of_on, amount in rows.annotate(Sum("amount_micro_usd")):
        late[account_id][of_on] = -amount
    return late


def _bill(
    month: Month,
    account_id: int,
    money: MonthMoney,
    used: Sequence[UsedUnits],
    late: dict[date, int],
    prices: Sequence[PriceOn],
    order: dict[int, int],
) -> MonthBill:
    lines = bill(
        month,
        used,
        prices,
        usage_micro_usd=money.usage_micro_usd,
        late=late,
        credit_micro_usd=money.credit_used_micro_usd,
        order=order,
    )
    return MonthBill(account_id, money, tuple(lines))


def _service_order() -> dict[int, int]:
    return dict(Service.objects.values_list("pk", "position"))


def _sums(rows: QuerySet[LedgerEntry, tuple[int]]) -> dict[int, int]:
    return dict(rows.annotate(Sum("amount_micro_usd")))
