"""How much an account may spend in a month, from what its ledger and its usage say. Pure.

The month's free credit is used first and ends with the month. What usage goes beyond it is paid from money
that does not expire: deposits, grants, adjustments. The gate lets an account spend the sum of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MonthMoney:
    """One month of an account, in micro-dollars: free credit, lasting money gained (signed), and usage."""

    credit_micro_usd: int = 0
    money_micro_usd: int = 0
    usage_micro_usd: int = 0

    @property
    def credit_used_micro_usd(self) -> int:
        return min(self.credit_micro_usd, self.usage_micro_usd)

    @property
    def credit_unused_micro_usd(self) -> int:
        return self.credit_micro_usd - self.credit_used_micro_usd

    @property
    def paid_micro_usd(self) -> int:
        """The part of the usage that free credit does not cover."""
        return self.usage_micro_usd - self.credit_used_micro_usd


def carried_balance(earlier: Iterable[MonthMoney]) -> int:
    """Lasting money left of all `earlier` months; negative where an adjustment took more than there was."""
    return sum(month.money_micro_usd - month.paid_micro_usd for month in earlier)


def allowance(*, carried_micro_usd: int, this_month: MonthMoney) -> int:
    """What may be spent in the month all in all, whatever has been spent of it already; never negative."""
    return max(0, carried_micro_usd + this_month.money_micro_usd + this_month.credit_micro_usd)
