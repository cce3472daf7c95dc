"""What operators fill in before money moves or a request for a plan is decided."""

from __future__ import annotations

from django import forms

from accounts.usd_field import UsdField
from billing.months import SIGN_UP
from goongdash.lib.money import MICRO_PER_CENT, MICRO_PER_USD

MOVE_MAX_MICRO_USD = 1_000_000 * MICRO_PER_USD


class MoneyForm(forms.Form):
    amount = UsdField(
        label="Amount in US dollars", min_micro_usd=MICRO_PER_CENT, max_micro_usd=MOVE_MAX_MICRO_USD, help_text=""
    )
    reference = forms.CharField(
        max_length=100,
        help_text="The payment’s or the ticket’s. With the same reference again, nothing is written again.",
    )
    reason = forms.CharField(max_length=200, help_text="The account’s members read it in their ledger.")

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        if reference == SIGN_UP:
            raise forms.ValidationError("The site’s own entries have this reference. Choose another.")
        return reference


class AdjustmentForm(MoneyForm):
    amount = UsdField(
        label="Amount in US dollars",
        min_micro_usd=-MOVE_MAX_MICRO_USD,
        max_micro_usd=MOVE_MAX_MICRO_USD,
        help_text="With a minus where the account is to have less.",
        is_whole_cents=False,
    )


class ApprovalForm(forms.Form):
    answer = forms.CharField(max_length=200, required=False, help_text="What the customer is told; may be empty.")


class RefusalForm(forms.Form):
    answer = forms.CharField(max_length=200, help_text="What the customer is told.")
