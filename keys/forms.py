"""Forms of the key page: a new key, and the search."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from keys.entries import Entry, entries_read
from keys.models import KeyType
from keys.services import MAX_RESTRICTIONS

_TOO_LONG = "At most %(limit_value)d characters, please; these are %(show_value)d."


class EntriesField(forms.Field):
    """A restriction list, one input for each entry; cleans to their texts. Each entry shows its own error."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        entries = entries_read(value or [])
        n_bad = sum(entry.error is not None for entry in entries)
        if n_bad:
            noun = "One entry" if n_bad == 1 else f"{n_bad} entries"
            raise ValidationError(f"{noun} of the list cannot be used, for the reason shown there.")
        if len(entries) > MAX_RESTRICTIONS:
            raise ValidationError(f"A key takes at most {MAX_RESTRICTIONS} entries; these are {len(entries):,}.")
        return [entry.text for entry in entries]


class KeyForm(forms.Form):
    """What the create dialog asks. Its fields are the arguments of `key_create`."""

    key_type = forms.ChoiceField(
        label="API Key type",
        help_text="Please select a type of key you want to create",
        choices=[(KeyType.REST, "API Key"), (KeyType.TILES, "Maptiles Key")],
        initial=KeyType.REST,
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label="API Key Name",
        help_text="Choose a name to help associate it with a project.",
        max_length=100,
        error_messages={"required": "Give the key a name.", "max_length": _TOO_LONG},
        widget=forms.TextInput(attrs={"placeholder": "Enter name …", "autocomplete": "off"}),
    )
    description = forms.CharField(
        label="Description",
        help_text="The description helps you become more aware of your project.",
        max_length=1_000,
        required=False,
        error_messages={"max_length": _TOO_LONG},
        widget=forms.Textarea(attrs={"placeholder": "Enter description…", "rows": 3}),
    )
    restrictions = EntriesField(label="Web sites and IP addresses", required=False)
    allows_no_origin = forms.BooleanField(
        label="Let requests without an origin pass",
        help_text="Apps and servers name no web site. Anyone can leave it out, so tick this only if you need it.",
        required=False,
    )

    @property
    def entries(self) -> list[Entry]:
        """The restriction list as typed, with what is wrong with it."""
        return entries_read(self["restrictions"].value() or [])


class KeySearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)

    @property
    def text(self) -> str:
        """What to search for; nothing where it is unfit to be searched for."""
        return str(self.cleaned_data["q"]) if self.is_valid() else ""
