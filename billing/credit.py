"""How much an account may spend in a month, from what its ledger and its usage say. Pure.

The month's free credit is used first and ends with the month. What usage goes beyond it is paid from money
that does not expire: deposits, grants, adjustments. The gate lets an account spend the sum of both, or, where its
plan stops with the credit, the credit alone. Usage that
reached its month after it was closed is paid in the month that was open then, like that month's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from goongdash.lib.periods import Month


@dataclass(frozen=True, slots=True)
class MonthMoney:
    """One month of an account, in micro-dollars: free credit, lasting money gained (signed), and usage.

    `usage` is that of the month's own days, `late` that of closed months which this month pays.
    """

    credit_micro_usd: int = 0
    money_micro_usd: int = 0
    usage_micro_usd: int = 0
    late_micro_usd: int = 0

    @property
    def charged_micro_usd(self) -> int:
        """All usage that the month pays."""
        return self.usage_micro_usd + self.late_micro_usd

    @property
    def credit_used_micro_usd(self) -> int:
        return max(0, min(self.credit_micro_usd, self.charged_micro_usd))

    @property
    def credit_unused_micro_usd(self) -> int:
        return self.credit_micro_usd - self.credit_used_micro_usd

    @property
    def paid_micro_usd(self) -> int:
        """The part of the usage that free credit does not cover; negative where late corrections give money back."""
        return self.charged_micro_usd - self.credit_used_micro_usd


def carried_balance(earlier: Iterable[MonthMoney]) -> int:
    """Lasting money left of all `earlier` months; negative where an adjustment took more than there was."""
    return sum(month.money_micro_usd - month.paid_micro_usd for month in earlier)


def allowance(*, carried_micro_usd: int, this_month: MonthMoney, uses_balance: bool = True) -> int:
    """What the month's own usage may come to, whatever it has come to already; never negative.

    Without `uses_balance`, money that lasts adds nothing; what is owed is taken off all the same.
    """
    lasting = carried_micro_usd + this_month.money_micro_usd
    have = this_month.credit_micro_usd + (lasting if uses_balance else min(0, lasting))
    return max(0, have - this_month.late_micro_usd)


def open_stretches(closed: Iterable[Month]) -> list[tuple[date, date]]:
    """The days outside of the `closed` months, as stretches `[from, to)` from the first day there is to the last."""
    stretches, since = [], date.min
    for month in sorted(closed):
        if since < month.first_day:
            stretches.append((since, month.first_day))
        since = month.next.first_day
    return [*stretches, (since, date.max)]
