"""Forms of the account page."""

from __future__ import annotations

from django import forms


class AccountForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        label="Account name",
        help_text="Your company or project, as your members and bills show it.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
