"""The filters of the history page, as they stand in its URL, and the entries that they leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import KINDS
from accounts.audit_log import audit_actors
from accounts.models import Account, AuditEntry
from goongdash.lib.periods import day_start

_MAX_ID = 2**63 - 1


class AuditFilters(forms.Form):
    """All optional: who, on what kind of object or on which one, and from which day to which, both included."""

    person = forms.CharField(label=_("Who"), required=False, max_length=254, widget=forms.Select)
    kind = forms.ChoiceField(label=_("What"), required=False, choices=[("", _("Everything")), *KINDS.items()])
    first = forms.DateField(label=_("From"), required=False, input_formats=["%Y-%m-%d"])
    last = forms.DateField(label=_("To"), required=False, input_formats=["%Y-%m-%d"])
    object_id = forms.IntegerField(required=False, min_value=0, max_value=_MAX_ID, widget=forms.HiddenInput)
    before = forms.IntegerField(required=False, min_value=0, max_value=_MAX_ID, widget=forms.HiddenInput)

    def __init__(self, query: Mapping[str, str], *, account: Account) -> None:
        super().__init__(query)
        self.account = account
        self.fields["person"].widget.choices = [("", _("Everybody")), *((name, name) for name in audit_actors(account))]
        for name in ("first", "last"):
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            self.fields[name].error_messages["invalid"] = _("That is not a day. Write it as 2026-11-23.")

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        for name, day in (("first", first), ("last", last)):
            if day and not 2000 <= day.year <= 9000:
                self.add_error(name, _("There is no history of that day."))
        if first and last and first > last:
            raise ValidationError(_("The first day comes after the last."))
        return self.cleaned_data

    @property
    def is_narrowed(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.fields if name != "before")

    def entries(self) -> QuerySet[AuditEntry]:
        """The account's entries that fit, newest first. Only of valid filters."""
        asked, zone = self.cleaned_data, settings.BILLING_ZONE
        entries = AuditEntry.objects.filter(account=self.account)
        conditions: dict[str, Any] = {
            "actor_name": asked["person"],
            "object_kind": asked["kind"],
            "object_id": asked["object_id"],
            "at__gte": asked["first"] and day_start(asked["first"], zone),
            "at__lt": asked["last"] and day_start(_next(asked["last"]), zone),
            "pk__lt": asked["before"],
        }
        return entries.filter(**{name: value for name, value in conditions.items() if value not in ("", None)})

    def query(self, **overrides: object) -> str:
        """What was asked for, as the query of a URL, without the cursor but for `overrides`."""
        asked = {name: self.data[name] for name in self.fields if name != "before" and self.data.get(name)}
        return urlencode({**asked, **overrides})


def _next(day: date) -> date:
    return day + timedelta(days=1)
