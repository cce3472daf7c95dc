"""The filters of the statistics page: a period and a key, as they stand in the URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404

from goongdash.lib.periods import PeriodError
from keys.models import ApiKey
from stats.periods import LABELS, Period, PeriodName, custom_period, named_period

ALL_KEYS = "all"
_SHOWN_LENGTH = 40


class DayField(forms.DateField):
    """A day as browsers write it. Its error quotes what was sent, which a date control cannot show."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(widget=widget, input_formats=["%Y-%m-%d"], **options)

    def to_python(self, value: Any) -> date | None:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(f"“{shortened(value)}” is not a day. Write it as 2026-11-23.") from None


class UsageFilters(forms.Form):
    """Filters with defaults: seven days, all keys. Valid, it has a `selected_period` and a `selected_key`.

    A key that is not one of `keys` raises Http404: whether it exists elsewhere is nobody's business.
    """

    period = forms.ChoiceField(
        choices=[(name.value, label) for name, label in LABELS.items()], widget=forms.RadioSelect
    )
    key = forms.CharField(label="API key", widget=forms.Select)

    selected_period: Period
    selected_key: ApiKey | None = None

    def __init__(self, query: Mapping[str, str], *, keys: Sequence[ApiKey], now: datetime) -> None:
        given = {name: query[name] for name in ("period", "key", "from", "to") if query.get(name)}
        default = PeriodName.CUSTOM if given.keys() & {"from", "to"} else PeriodName.WEEK
        data = {"period": default.value, "key": ALL_KEYS, **given}
        if data["period"] == PeriodName.CUSTOM and not given.keys() & {"from", "to"}:
            usual = named_period(PeriodName.CUSTOM, now=now, zone=settings.BILLING_ZONE)
            data |= {"from": usual.first.isoformat(), "to": usual.last.isoformat()}
        super().__init__(data)
        self.keys, self.now = keys, now
        self.fields["period"].error_messages["invalid_choice"] = "There is no such period. Choose one of these."
        self.fields["key"].widget.choices = key_choices(keys)
        if self.is_custom:
            self.fields["from"] = DayField(label="From", error_messages={"required": "Name the first day."})
            self.fields["to"] = DayField(label="To", error_messages={"required": "Name the last day."})

    @property
    def is_custom(self) -> bool:
        return bool(self.data["period"] == PeriodName.CUSTOM)

    @property
    def query(self) -> str:
        """What was asked for, as the query of a URL."""
        return urlencode({name: self.data[name] for name in self.fields if name in self.data})

    def clean_key(self) -> str:
        text: str = self.cleaned_data["key"]
        if text == ALL_KEYS:
            return text
        if not text.isdecimal():
            raise ValidationError(f"“{shortened(text)}” is none of your keys. Choose one from the list.")
        self.selected_key = next((key for key in self.keys if str(key.pk) == text), None)
        if self.selected_key is None:
            raise Http404("You have no such key.")
        return text

    def clean(self) -> None:
        fields = self.cleaned_data
        zone = settings.BILLING_ZONE
        if self.errors:
            return
        if not self.is_custom:
            self.selected_period = named_period(PeriodName(fields["period"]), now=self.now, zone=zone)
            return
        try:
            self.selected_period = custom_period(fields["from"], fields["to"], now=self.now, zone=zone)
        except PeriodError as error:
            self.add_error("from", str(error))


def key_choices(keys: Sequence[ApiKey]) -> list[tuple[str, Any]]:
    """All keys, then each; those that are deleted last and marked, since their history stays."""
    kept = [(str(key.pk), str(key)) for key in keys if key.revoked_at is None]
    deleted = [(str(key.pk), f"{key} – deleted") for key in keys if key.revoked_at is not None]
    groups = [("Keys", kept), ("Deleted keys", deleted)]
    return [(ALL_KEYS, "All keys"), *((name, choices) for name, choices in groups if choices)]


def shortened(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
