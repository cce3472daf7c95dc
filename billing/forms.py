"""What customers fill in on the billing pages."""

from __future__ import annotations

import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.fields import UsdField
from goongdash.lib.money import MICRO_PER_USD

DEPOSIT_MIN_MICRO_USD = 5 * MICRO_PER_USD
DEPOSIT_MAX_MICRO_USD = 10_000 * MICRO_PER_USD


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
