"""Forms of the account page."""

from __future__ import annotations

from django import forms


class AccountForm(forms.Form):
    name = forms.CharField(max_length=100, label="Account name")
