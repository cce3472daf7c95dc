"""The form of the key dialog, for a new key and for one that is edited."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.boundfield import BoundWidget
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.figures import number
from accounts.models import Plan
from accounts.usd_field import UsdField
from keys.entries import Entry, entries_read
from keys.fields import EntriesField, LimitField, ModeField, ServicesField, SpikeField
from keys.limits import KeyLimits
from keys.models import ApiKey, KeyType, OnSpike, RestrictionsMode
from keys.selectors import services_to_choose

_TOO_LONG = _("At most %(limit_value)d characters, please; these are %(show_value)d.")
_LIMITS = ("rate_limit", "requests_per_day", "requests_per_month")
# What the plan calls it: a map load is the request of a map tiles key.
_PLANS_NAME: dict[tuple[str | None, str], str] = {(KeyType.TILES.value, "requests_per_month"): "map_loads_per_month"}


class KeyForm(forms.Form):
    """What the dialog asks. `arguments` are those of `key_create` and, but for the type, of `key_update`."""

    key_type = forms.ChoiceField(
        label=_("API Key type"),
        help_text=_("Please select a type of key you want to create"),
        choices=[(KeyType.REST, _("API Key")), (KeyType.TILES, _("Maptiles Key"))],
        initial=KeyType.REST,
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label=_("API Key Name"),
        help_text=_("Choose a name to help associate it with a project."),
        max_length=100,
        error_messages={"required": _("Give the key a name."), "max_length": _TOO_LONG},
        widget=forms.TextInput(attrs={"placeholder": _("Enter name …"), "autocomplete": "off"}),
    )
    description = forms.CharField(
        label=_("Description"),
        help_text=_("The description helps you become more aware of your project."),
        max_length=1_000,
        required=False,
        error_messages={"max_length": _TOO_LONG},
        widget=forms.Textarea(attrs={"placeholder": _("Enter description…"), "rows": 3}),
    )
    restrictions = EntriesField(label=_("Web sites and IP addresses"), required=False)
    restrictions_mode = ModeField(label=_("What the list does"))
    allows_no_origin = forms.BooleanField(
        label=_("Let requests without an origin pass"),
        help_text=_("Apps and servers name no web site. Anyone can leave it out, so tick this only if you need it."),
        required=False,
    )
    services = ServicesField(label=_("Services"), help_text=_("What the key opens. None ticked: all of them."))
    rate_limit = LimitField()
    requests_per_day = LimitField(label=_("Requests a day"))
    requests_per_month = LimitField(label=_("Requests a month"))
    spend_cap_micro_usd = UsdField(
        label=_("Spend cap a month, in dollars"),
        required=False,
        min_micro_usd=1,
        is_whole_cents=False,
        placeholder=_("No cap"),
        error_messages={"min_value": _("A cap is more than nothing. To refuse every request, delete the key.")},
    )
    expires_at = forms.DateTimeField(
        label=_("Expires"),
        required=False,
        error_messages={"invalid": _("Write a day and a time, such as 2027-01-31 09:00.")},
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "max": "9998-12-31T23:59"}, format="%Y-%m-%dT%H:%M"
        ),
    )

    on_spike = SpikeField()

    def __init__(
        self,
        data: Any = None,
        *,
        plan: Plan,
        now: datetime,
        key: ApiKey | None = None,
        key_type: str = "",
        allow: str = "",
    ) -> None:
        """`key_type` is chosen beforehand for a new key; `allow` is an entry to be offered on the list of `key`."""
        super().__init__(data, initial=_chosen(key_type) if key is None else _initial(key, allow))
        self.plan, self.now, self.key = plan, now, key
        choices = services_to_choose()
        if key is not None:
            del self.fields["key_type"]
            choices = choices.filter(key_type=key.type)
        is_offered = Q(is_active=True) | Q(pk__in=self.initial.get("services", []))
        self.fields["services"].queryset = choices.filter(is_offered)  # type: ignore[attr-defined]
        self._name_the_plan()

    def _name_the_plan(self) -> None:
        self.fields["rate_limit"].label = _rate_label(self.plan)
        in_zone = gettext("In the time of %(zone)s. Empty: never.") % {"zone": settings.BILLING_TIME_ZONE}
        self.fields["expires_at"].help_text = in_zone
        plans = {"rate_limit": self.plan.rate_limit, "requests_per_day": self.plan.requests_per_day}
        for name in _LIMITS:
            self.fields[name].widget.attrs["placeholder"] = _limit_of_plan(plans.get(name))

    @property
    def entries(self) -> list[Entry]:
        """The restriction list as typed, with what is wrong with it."""
        return entries_read(self["restrictions"].value() or [])

    @property
    def service_groups(self) -> dict[str, list[BoundWidget]]:
        """The boxes by key type; a type with a single service leaves nothing to choose."""
        groups: dict[str, list[BoundWidget]] = {}
        for box in self["services"]:
            groups.setdefault(box.data["value"].instance.key_type, []).append(box)
        return {key_type: boxes for key_type, boxes in groups.items() if len(boxes) > 1}

    @property
    def arguments(self) -> dict[str, Any]:
        limits = KeyLimits(**{name: self.cleaned_data[name] for name in asdict(KeyLimits())})
        return {name: v for name, v in self.cleaned_data.items() if name not in asdict(limits)} | {"limits": limits}

    @property
    def differing(self) -> str:
        """The labels of what differs from the stored key, for a sentence."""
        return ", ".join(str(self.fields[name].label) for name in self.changed_data)

    def clean_restrictions_mode(self) -> str:
        stored = RestrictionsMode.ENFORCED if self.key is None else self.key.restrictions_mode
        return self.cleaned_data["restrictions_mode"] or stored

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        stored = self.key.expires_at if self.key else None
        if stored is not None and expires_at == _to_the_minute(stored):
            return stored
        if expires_at is not None and expires_at <= self.now:
            raise ValidationError(gettext("This is past already. To stop the key at once, delete it."))
        return expires_at

    def clean_on_spike(self) -> str:
        return self.cleaned_data["on_spike"] or (self.key.on_spike if self.key else OnSpike.REPORT)

    def clean(self) -> dict[str, Any]:
        key_type = self.key.type if self.key else self.cleaned_data.get("key_type")
        for name in _LIMITS:
            limit, plans = self.cleaned_data.get(name), getattr(self.plan, _PLANS_NAME.get((key_type, name), name))
            is_new = limit != self.initial.get(name)  # The plan may have become smaller since.
            if limit is not None and plans is not None and limit > plans and is_new:
                words = gettext("The plan allows %(limit)s; a key can have less, not more.")
                self.add_error(name, words % {"limit": number(plans)})
        # Boxes of the other type may be ticked still, from before the type was chosen.
        of_type = {service.pk for service in self.fields["services"].queryset if service.key_type == key_type}  # type: ignore[attr-defined]
        self.cleaned_data["services"] = [pk for pk in self.cleaned_data.get("services", []) if pk in of_type]
        return self.cleaned_data


def _rate_label(plan: Plan) -> str:
    match plan.rate_window_s:
        case 1:
            return gettext("Requests a second for each IP address")
        case 60:
            return gettext("Requests a minute for each IP address")
        case 3_600:
            return gettext("Requests an hour for each IP address")
        case window_s:
            return gettext("Requests in %(seconds)s seconds for each IP address") % {"seconds": number(window_s)}


def _limit_of_plan(limit: int | None) -> str:
    if limit is None:
        return gettext("No limit of its own")
    return gettext("%(limit)s, as in the plan") % {"limit": number(limit)}


def _chosen(key_type: str) -> dict[str, Any]:
    return {"key_type": key_type} if key_type in KeyType.values else {}


def _initial(key: ApiKey, allow: str) -> dict[str, Any]:
    texts = [restriction.text for restriction in key.restrictions.all()]
    offered = [entry.text for entry in entries_read([allow]) if entry.saved_as not in texts]
    return {
        "name": key.name,
        "description": key.description,
        "restrictions": [*texts, *offered],
        "restrictions_mode": key.restrictions_mode,
        "allows_no_origin": key.allows_no_origin,
        "services": [service.pk for service in key.services.all()],
        "on_spike": key.on_spike,
        "expires_at": key.expires_at and _to_the_minute(key.expires_at),
        **asdict(key.limits),
    }


def _to_the_minute(instant: datetime) -> datetime:
    """As the browser's control shows it."""
    return instant.replace(second=0, microsecond=0)
