"""Hooks into allauth: who signs up gets an account, or the one they were invited to; changes of a sign-in are
recorded; what a second factor is made of is stored encrypted."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.audit import audit_person
from accounts.audit_actions import AuditAction
from accounts.joining import join_by_signing_up
from accounts.languages import in_language_of, language_note
from accounts.models import User
from accounts.services import account_open
from accounts.vault import decrypt, encrypt

# By the mail in which allauth tells the user of the change.
_CHANGES = {
    "account/email/password_changed": AuditAction.PASSWORD_CHANGED,
    "account/email/password_set": AuditAction.PASSWORD_CHANGED,
    "account/email/password_reset": AuditAction.PASSWORD_RESET,
    "account/email/email_changed": AuditAction.ADDRESS_CHANGED,
    "account/email/email_deleted": AuditAction.ADDRESS_REMOVED,
    "mfa/email/totp_activated": AuditAction.TOTP_ADDED,
    "mfa/email/totp_deactivated": AuditAction.TOTP_REMOVED,
    "mfa/email/webauthn_added": AuditAction.PASSKEY_ADDED,
    "mfa/email/webauthn_removed": AuditAction.PASSKEY_REMOVED,
    "mfa/email/recovery_codes_generated": AuditAction.RECOVERY_CODES_MADE,
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    @transaction.atomic
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit:
            language_note(user=saved)
            member = join_by_signing_up(request, saved)
            if member:
                words = _("Welcome to %(account)s. Your role is %(role)s.")
                messages.success(request, words % {"account": member.account.name, "role": member.get_role_display()})
            else:
                account_open(user=saved)
        return saved

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        language_note(user=user)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of the user whom the mail is for, whose browser need not be the one that asked for it."""
        user = context.get("user")
        with in_language_of(user) if isinstance(user, User) else nullcontext():
            super().send_mail(template_prefix, email, context)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tells the user of a change of their sign-in, and records it."""
        action = _CHANGES.get(template_prefix)
        if action is not None:
            audit_person(action, user)
        super().send_notification_mail(template_prefix, user, context, email)


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        n_before = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey %(number)d") % {"number": n_before + 1} if n_before else _("Passkey")


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    @transaction.atomic
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        for user in {session.user for session in ended}:
            audit_person(AuditAction.SESSIONS_ENDED, user)
