"""The form field of an amount of money, for keys and billing alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.figures import usd
from goongdash.lib.money import MICRO_PER_CENT, MoneyError, format_usd, parse_usd


class UsdField(forms.CharField):
    """An amount in dollars; cleans to micro-dollars, exactly and never through a float, and to None where it is empty.

    In whole cents unless said otherwise, and between two bounds where they are named.
    """

    default_error_messages = {  # noqa: RUF012 — as Django's own.
        "invalid": _("Write an amount in dollars, such as 25 or 12.50."),
        "cents": _("Write an amount in whole cents."),
        "min_value": _("The least is %(amount)s."),
        "max_value": _("The most is %(amount)s."),
    }

    def __init__(
        self,
        *,
        min_micro_usd: int | None = None,
        max_micro_usd: int | None = None,
        is_whole_cents: bool = True,
        placeholder: str | Promise = "100.00",
        **options: Any,
    ) -> None:
        # What `widget_attrs` reads is there before Django calls it.
        self.placeholder = placeholder
        super().__init__(max_length=30, **options)
        self.min_micro_usd, self.max_micro_usd, self.is_whole_cents = min_micro_usd, max_micro_usd, is_whole_cents

    def to_python(self, value: Any) -> Any:
        if isinstance(value, int) or value is None:
            return value
        text = super().to_python(value)
        if not text:
            return None
        super().run_validators(text)
        try:
            return parse_usd(text)
        except MoneyError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is None:
            return
        if self.min_micro_usd is not None and value < self.min_micro_usd:
            self._refuse("min_value", self.min_micro_usd)
        if self.max_micro_usd is not None and value > self.max_micro_usd:
            self._refuse("max_value", self.max_micro_usd)
        if self.is_whole_cents and value % MICRO_PER_CENT:
            self._refuse("cents", MICRO_PER_CENT)

    def run_validators(self, value: Any) -> None:
        """They are of the text, which `to_python` has made a number of."""

    def prepare_value(self, value: Any) -> Any:
        return format_usd(value).removeprefix("$") if isinstance(value, int) else value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "placeholder": self.placeholder}
        return {**super().widget_attrs(widget), **attributes}

    def _refuse(self, code: str, amount_micro_usd: int) -> None:
        raise ValidationError(self.error_messages[code], code=code, params={"amount": usd(amount_micro_usd)})
