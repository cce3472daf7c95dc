"""What customers fill in on the billing pages."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.usd_field import UsdField
from billing.thresholds import MAX_PERCENTS
from goongdash.lib.money import MICRO_PER_USD

DEPOSIT_MIN_MICRO_USD = 5 * MICRO_PER_USD
DEPOSIT_MAX_MICRO_USD = 10_000 * MICRO_PER_USD
BUDGET_MAX_MICRO_USD = 1_000_000 * MICRO_PER_USD


class PlanRequestForm(forms.Form):
    note = forms.CharField(
        label=_("Anything we should know"),
        help_text=_("For instance how you would like to pay the deposit, and whom we may call."),
        max_length=1_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DepositForm(forms.Form):
    amount = UsdField(
        label=_("Amount in US dollars"),
        help_text=_("It pays what goes beyond the free credit. What is left carries over."),
        min_micro_usd=DEPOSIT_MIN_MICRO_USD,
        max_micro_usd=DEPOSIT_MAX_MICRO_USD,
    )
    # Sent again with the same form, it is the same payment.
    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class BudgetForm(forms.Form):
    amount = UsdField(
        label=_("Budget of a month, in US dollars"),
        help_text=_(
            "When a month has come to it, requests that cost something are refused until the next one. "
            "Empty: no budget of your own. 0: they are refused at once."
        ),
        min_micro_usd=0,
        max_micro_usd=BUDGET_MAX_MICRO_USD,
        required=False,
    )


class PercentsField(forms.CharField):
    """Whole percents with commas or spaces between them, as a list."""

    def clean(self, value: Any) -> list[int]:
        words = super().clean(value).replace("%", " ").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) <= 3 and 1 <= int(word) <= 100 for word in words):
            raise ValidationError(_("Write whole percents from 1 to 100, such as 50, 80, 100."))
        percents = sorted(set(map(int, words)))
        if len(percents) > MAX_PERCENTS:
            raise ValidationError(_("At most %(n)s of them, please."), params={"n": MAX_PERCENTS})
        return percents


class AlertsForm(forms.Form):
    percents = PercentsField(
        label=_("Tell us at these percents"),
        help_text=_("Of the month’s credit and balance, of your budget, and of each key’s spend cap. Empty: never."),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off", "placeholder": "50, 80, 100"}),
    )
