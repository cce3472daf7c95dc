"""The filters of the request log, as they stand in its URL. They combine, and none of them is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.http import Http404
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from keys.models import ApiKey, KeyType, Service
from stats.forms import ALL_KEYS, key_choices
from stats.log_query import LogQuery, Position
from stats.outcomes import OUTCOMES, Outcome

NO_ORIGIN = "none"
REFUSED = "refused"
WOULD_REFUSE = "would_refuse"
NO_SERVICE = "none"
# What belongs to no account is not recorded.
RECORDED = [
    outcome for outcome in Outcome if outcome not in {Outcome.KEY_MISSING, Outcome.KEY_UNKNOWN, Outcome.UNAVAILABLE}
]
_REFUSALS = tuple(facts.number for outcome, facts in OUTCOMES.items() if outcome is not Outcome.ALLOWED)
_SELECTED = SafeString(" selected")
_LOCAL = "%Y-%m-%dT%H:%M"


class LogPeriod(StrEnum):
    ALL = ""
    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    CUSTOM = "custom"


_LENGTHS = {LogPeriod.HOUR: timedelta(hours=1), LogPeriod.DAY: timedelta(days=1), LogPeriod.WEEK: timedelta(days=7)}


class MomentField(forms.DateTimeField):
    """A moment of the installation's zone, as browsers write it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "min": "2000-01-01T00:00", "max": "8999-12-31T23:59"}, format=_LOCAL
        )
        super().__init__(widget=widget, required=False, input_formats=[_LOCAL, "%Y-%m-%dT%H:%M:%S"], **options)
        self.error_messages["invalid"] = gettext_lazy("Write a day and a time, such as 2026-11-23T09:00.")

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment is not None and not 2000 <= moment.year <= 8999:
            raise ValidationError(_("There were no requests then."))
        return moment


class QuickSelect(forms.Select):
    """A select written in one go: Django renders a template for each option, and an account may have many keys."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = self.get_context(name, value, attrs)["widget"]
        groups = [
            format_html('<optgroup label="{}">{}</optgroup>', label, self._options(options))
            if label
            else self._options(options)
            for label, options, _index in context["optgroups"]
        ]
        return format_html(
            '<select name="{}"{}>{}</select>',
            context["name"],
            flatatt(context["attrs"]),
            format_html_join("", "{}", ((each,) for each in groups)),
        )

    @staticmethod
    def _options(options: Iterable[Mapping[str, Any]]) -> SafeString:
        return format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((each["value"], _SELECTED if each["selected"] else "", each["label"]) for each in options),
        )


class RequestFilters(forms.Form):
    """Valid, it has the `log_query` that it stands for.

    A key that is not one of `keys` raises Http404: whether it exists elsewhere is nobody's business.
    """

    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), required=False, widget=QuickSelect)
    key = forms.CharField(label=gettext_lazy("API key"), required=False, widget=QuickSelect)
    type = forms.ChoiceField(label=gettext_lazy("Key type"), required=False, widget=QuickSelect)
    service = forms.CharField(label=gettext_lazy("Service"), required=False, widget=QuickSelect)
    origin = forms.CharField(
        label=gettext_lazy("Origin"),
        required=False,
        max_length=255,
        widget=forms.TextInput(
            attrs={"placeholder": "example.com", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    period = forms.ChoiceField(label=gettext_lazy("Time"), required=False, widget=QuickSelect)

    def __init__(
        self, query: Mapping[str, str], *, keys: Sequence[ApiKey], services: Iterable[Service], now: datetime
    ) -> None:
        data = {name: value for name, value in query.items() if value}
        if "period" not in query and data.keys() & {"from", "to"}:
            data["period"] = LogPeriod.CUSTOM
        if data.get("period") != LogPeriod.CUSTOM:
            # The form sends them all the same, out of sight.
            data.pop("from", None)
            data.pop("to", None)
        super().__init__(data)
        self.keys, self.services, self.now = keys, list(services), now
        self.fields |= {"from": MomentField(label=_("From")), "to": MomentField(label=_("To"))}
        self._offer()

    def _offer(self) -> None:
        """What there is to choose from."""
        outcomes = [(outcome.value, OUTCOMES[outcome].label) for outcome in RECORDED]
        periods = {
            LogPeriod.ALL: _("Any time"),
            LogPeriod.HOUR: _("Last hour"),
            LogPeriod.DAY: _("Last 24 hours"),
            LogPeriod.WEEK: _("Last 7 days"),
            LogPeriod.CUSTOM: _("From – to"),
        }
        choices: dict[str, list[tuple[str, Any]]] = {
            "outcome": [
                ("", _("All outcomes")),
                (REFUSED, _("All refusals")),
                *outcomes,
                (WOULD_REFUSE, _("List would refuse")),
            ],
            "type": [("", _("Both types")), *KeyType.choices],
            "period": [(period.value, label) for period, label in periods.items()],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        keys = [("" if value == ALL_KEYS else value, label) for value, label in key_choices(self.keys)]
        self.fields["key"].widget.choices = keys
        services = [("", _("All services")), *((service.slug, service.title) for service in self.services)]
        self.fields["service"].widget.choices = [*services, (NO_SERVICE, _("No service"))]

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    def query(self, **overrides: object) -> str:
        """What was asked for, as the query of a URL; a cursor comes with `overrides`, empty ones left out."""
        asked = {name: self.data[name] for name in self.fields if self.data.get(name)} | overrides
        return urlencode({name: value for name, value in asked.items() if value != ""})

    def clean_key(self) -> int | None:
        text = self.cleaned_data["key"]
        if text in {"", ALL_KEYS}:
            return None
        found = next((key.pk for key in self.keys if str(key.pk) == text), None)
        if found is None:
            raise Http404("You have no such key.")
        return found

    def clean_service(self) -> int | None:
        slug = self.cleaned_data["service"]
        if slug in {"", NO_SERVICE}:
            return 0 if slug else None
        found = next((service.pk for service in self.services if service.slug == slug), None)
        if found is None:
            raise ValidationError(_("There is no such service. Choose one from the list."))
        return found

    def clean(self) -> None:
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last and first >= last:
            self.add_error("to", _("This is not after the beginning."))

    @property
    def log_query(self) -> LogQuery:
        asked = self.cleaned_data
        length = _LENGTHS.get(LogPeriod(asked["period"]))
        origin = asked["origin"].strip()
        return LogQuery(
            key_id=asked["key"],
            key_type=asked["type"],
            service_id=asked["service"],
            outcomes=_numbers(asked["outcome"]),
            origin=origin,
            would_refuse=asked["outcome"] == WOULD_REFUSE,
            names_no_origin=origin == NO_ORIGIN,
            first=self.now - length if length else asked.get("from"),
            last=asked.get("to"),
            before=Position.parse(self.data.get("before", "")),
            after=Position.parse(self.data.get("after", "")),
        )


def _numbers(outcome: str) -> tuple[int, ...] | None:
    if outcome in {"", WOULD_REFUSE}:
        return None
    return _REFUSALS if outcome == REFUSED else (OUTCOMES[Outcome(outcome)].number,)
