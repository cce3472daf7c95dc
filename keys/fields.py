"""Form fields of the key dialog: the restriction list, a lower limit, the services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.figures import number
from keys.entries import entries_read
from keys.limits import MAX_LIMIT
from keys.models import OnSpike, RestrictionsMode, Service
from keys.services import MAX_RESTRICTIONS


class EntriesField(forms.Field):
    """A restriction list, one input for each entry; cleans to their texts. Each entry shows its own error."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        entries = entries_read(value or [])
        n_bad = sum(entry.error is not None for entry in entries)
        if n_bad:
            words = ngettext(
                "One entry of the list cannot be used, for the reason shown there.",
                "%(n)s entries of the list cannot be used, for the reason shown there.",
                n_bad,
            )
            raise ValidationError(words % {"n": number(n_bad)})
        if len(entries) > MAX_RESTRICTIONS:
            words = gettext("A key takes at most %(max)s entries; these are %(n)s.")
            raise ValidationError(words % {"max": number(MAX_RESTRICTIONS), "n": number(len(entries))})
        return [entry.text for entry in entries]

    def has_changed(self, initial: Iterable[str] | None, data: Iterable[str] | None) -> bool:
        was, is_now = (
            [entry.saved_as or entry.text for entry in entries_read(texts or [])] for texts in (initial, data)
        )
        return was != is_now


class ModeField(forms.ChoiceField):
    """What a list does. One that is not said is as it was: the page may be from before there were modes."""

    def __init__(self, **options: Any) -> None:
        modes = [(RestrictionsMode.ENFORCED, _("Enforce")), (RestrictionsMode.REPORT_ONLY, _("Report only"))]
        options = {"initial": RestrictionsMode.ENFORCED, **options}
        super().__init__(choices=modes, required=False, widget=forms.RadioSelect, **options)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if data is None else data

    def has_changed(self, initial: Any, data: Any) -> bool:
        return data is not None and super().has_changed(initial, data)


class LimitField(forms.IntegerField):
    """A whole number of requests, or none; typed into a plain line, where thousands may be set apart."""

    widget = forms.TextInput

    def __init__(self, **options: Any) -> None:
        too_low = _("A limit is 1 or more. To refuse every request, delete the key.")
        errors = {"invalid": _("Write a whole number."), "min_value": too_low}
        super().__init__(min_value=1, max_value=MAX_LIMIT, required=False, error_messages=errors, **options)

    def to_python(self, value: Any) -> int | None:
        return super().to_python(value.replace(",", "").replace(" ", "") if isinstance(value, str) else value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "numeric", "autocomplete": "off"}


class ServicesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Services, one box for each; none ticked is all of them. Cleans to their ids."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Service.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, **options)
        self.error_messages["invalid_choice"] = _("One of these services is not there any more.")

    def label_from_instance(self, service: Service) -> str:
        return service.title

    def clean(self, value: Any) -> list[int]:  # type: ignore[override]
        return [service.pk for service in super().clean(value)]


class SpikeField(forms.ChoiceField):
    """What happens when the key is used far more than usual; where nothing is sent, it stays as it is."""

    def __init__(self) -> None:
        super().__init__(
            label=_("When it is used far more than usual"),
            help_text=_(
                "As when somebody has copied it. You are told in any case, and can lift what was done. "
                "Cut for the day, it may make a few more requests until midnight."
            ),
            choices=OnSpike.choices,
            initial=OnSpike.REPORT,
            required=False,
        )

    def has_changed(self, initial: str | None, data: str | None) -> bool:
        return bool(data) and data != initial
