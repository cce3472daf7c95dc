"""What a price would have made of last month: whose bills it would have changed, and by how much. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.models import Account
from billing.models import Price
from billing.pricing import PriceOn, Tier
from billing.repricing import Repriced, month_repriced
from billing.selectors import price_book
from goongdash.lib.periods import Month, day_of

N_SHOWN = 10


@dataclass(frozen=True, slots=True)
class PricePreview:
    """All accounts' month together, in micro-dollars, and those it would change most."""

    month: Month
    charged_micro_usd: int
    repriced_micro_usd: int
    n_accounts: int
    n_more: int
    n_less: int
    most: list[tuple[Account, Repriced]]

    @property
    def difference_micro_usd(self) -> int:
        return self.repriced_micro_usd - self.charged_micro_usd


def price_preview(price: Price, now: datetime) -> PricePreview:
    """As if `price`, with its tiers, had held for its service from the first of last month on."""
    month = Month.of(day_of(now, settings.BILLING_ZONE)).previous
    tiers = tuple(Tier(tier.from_units, tier.price_micro_usd) for tier in price.tiers.all())
    held = PriceOn(price.service_id, month.first_day, price.price_micro_usd, tiers)
    of_others = [other for other in price_book() if other.service_id != price.service_id]
    found = list(month_repriced(month, prices=[*of_others, held]))
    changed = sorted((each for each in found if each.difference_micro_usd), key=lambda e: -abs(e.difference_micro_usd))
    accounts = Account.objects.in_bulk([each.account_id for each in changed[:N_SHOWN]])
    return PricePreview(
        month=month,
        charged_micro_usd=sum(each.charged_micro_usd for each in found),
        repriced_micro_usd=sum(each.repriced_micro_usd for each in found),
        n_accounts=len(found),
        n_more=sum(each.difference_micro_usd > 0 for each in changed),
        n_less=sum(each.difference_micro_usd < 0 for each in changed),
        most=[(accounts[each.account_id], each) for each in changed[:N_SHOWN] if each.account_id in accounts],
    )
