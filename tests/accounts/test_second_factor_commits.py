"""What follows the commit of a changed sign-in: mails and records. Commits are real here."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AuditEntry
from accounts.vault import decrypt
from tests.accounts.second_factor import client_signed_in, enrol
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("live")


@pytest.fixture
def signed_in(live: None, alice: Account) -> Client:
    cache.clear()
    return client_signed_in("alice@example.com")


def test_secret_of_the_app_is_stored_encrypted_and_recorded_nowhere(
    signed_in: Client,
) -> None:
    secret, response = enrol(signed_in)
    codes = response.context["unused_codes"]
    with connection.cursor() as cursor:
        for table in ("mfa_authenticator", "accounts_auditentry"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            [(rows,)] = cursor.fetchall()
            assert secret not in rows
            assert not [code for code in codes if code in rows]
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert decrypt(stored) == secret


def test_change_of_the_sign_in_is_mailed_and_recorded(
    signed_in: Client,
    alice: Account,
    mailoutbox: list[EmailMessage],
) -> None:
    enrol(signed_in)
    signed_in.post(reverse("mfa_deactivate_totp"))
    new = f"new {PASSWORD}"
    passwords = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    signed_in.post(reverse("account_change_password"), passwords)
    subjects = [mail.subject for mail in mailoutbox]
    assert subjects == [
        "Goongdash: authenticator app set up",
        "Goongdash: authenticator app turned off",
        "Your Goongdash password has changed",
    ]
    assert all("Was it you?" in str(mail.body) for mail in mailoutbox)
    entries = AuditEntry.objects.filter(account=alice, object_kind="sign_in").order_by("pk")
    assert [(entry.action, entry.actor_name) for entry in entries] == [
        ("sign_in.totp_added", "alice@example.com"),
        ("sign_in.totp_removed", "alice@example.com"),
        ("sign_in.password_changed", "alice@example.com"),
    ]
