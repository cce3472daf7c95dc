"""Forms of the account's pages, and of signing up."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.core import context
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.joining import address_proven
from accounts.models import Role, TokenScope
from accounts.permissions import PURPOSES


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """Who comes by an invitation signs up with the address it was sent to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address = address_proven(context.request)
        if address:
            self.fields["email"].disabled = True
            self.initial["email"] = address


class AccountForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        label=_("Account name"),
        help_text=_("Your company or project, as your members and bills show it."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class SecurityForm(forms.Form):
    asks_before_showing_keys = forms.BooleanField(
        label=_("Ask for a recent sign-in before showing a key"),
        help_text=_("Members whose sign-in is more than five minutes old sign in once more. For all members."),
        required=False,
    )


def role_field(roles: list[Role]) -> forms.ChoiceField:
    """A choice of the roles that may be given, each with what it is for."""
    return forms.ChoiceField(
        label=_("Role"),
        choices=[(role.value, f"{role.label}: {PURPOSES[role]}") for role in roles],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what they may do.")},
    )


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        error_messages={"required": _("Whom do you want to invite?")},
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.com"}),
    )

    def __init__(self, data: Any = None, *, roles: list[Role]) -> None:
        super().__init__(data, initial={"role": Role.DEVELOPER.value})
        self.fields["role"] = role_field([role for role in roles if role is not Role.OWNER])


class RoleForm(forms.Form):
    def __init__(self, data: Any = None, *, roles: list[Role], current: str) -> None:
        super().__init__(data, initial={"role": current})
        self.fields["role"] = role_field(roles)


class TokenForm(forms.Form):
    """A new personal token. `scopes` are those that the member's role allows."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("What it is for, such as the program that will use it."),
        max_length=60,
        error_messages={"required": _("Give the token a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label=_("Works for"),
        coerce=int,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year")), (0, _("as long as you are a member"))],
        initial=90,
    )

    def __init__(self, data: Any = None, *, scopes: list[TokenScope]) -> None:
        super().__init__(data)
        self.fields["scopes"] = forms.TypedMultipleChoiceField(
            label=_("May read"),
            choices=[(scope.value, scope.label) for scope in scopes],
            coerce=TokenScope,
            initial=[TokenScope.USAGE],
            widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            error_messages={"required": _("Choose what it may read.")},
        )


class LanguageForm(forms.Form):
    language = forms.ChoiceField(
        label=_("Language"),
        help_text=_("Of these pages, and of the emails that we send you."),
        choices=[("browser", _("As the browser says")), *settings.LANGUAGES],
    )

    def clean_language(self) -> str:
        """The code of a language; empty for the browser's."""
        language: str = self.cleaned_data["language"]
        return "" if language == "browser" else language


class SwitchForm(forms.Form):
    account = forms.IntegerField(min_value=1, max_value=2**63 - 1)


class NoticeMailsForm(forms.Form):
    mails_notices = forms.BooleanField(
        label=_("E-mail me the notices of this account"),
        help_text=_("Such as a key that expires soon, or one that a stranger’s site uses. Only for you."),
        required=False,
    )


class NoticesReadForm(forms.Form):
    through = forms.IntegerField(min_value=0, max_value=2**63 - 1)
