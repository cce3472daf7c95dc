"""Form fields of money."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.figures import usd
from goongdash.lib.money import MICRO_PER_CENT, MoneyError, parse_usd


class UsdField(forms.CharField):
    """An amount in dollars, as whole micro-dollars; in whole cents, and between two bounds where they are named."""

    def __init__(
        self,
        *,
        min_micro_usd: int | None = None,
        max_micro_usd: int | None = None,
        is_whole_cents: bool = True,
        **options: Any,
    ) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "placeholder": "100.00"})
        super().__init__(max_length=30, widget=options.pop("widget", widget), **options)
        self.min_micro_usd, self.max_micro_usd, self.is_whole_cents = min_micro_usd, max_micro_usd, is_whole_cents

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = parse_usd(text)
        except MoneyError:
            raise ValidationError(_("Write an amount in dollars, such as 100 or 12.50.")) from None
        if self.is_whole_cents and amount % MICRO_PER_CENT:
            raise ValidationError(_("Write an amount in whole cents."))
        if self.min_micro_usd is not None and amount < self.min_micro_usd:
            raise ValidationError(_("The least is %(amount)s."), params={"amount": usd(self.min_micro_usd)})
        if self.max_micro_usd is not None and amount > self.max_micro_usd:
            raise ValidationError(_("The most is %(amount)s."), params={"amount": usd(self.max_micro_usd)})
        return amount
