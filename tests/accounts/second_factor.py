"""Signs in with the password and sets up an authenticator app, as a person would."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


def client_signed_in(email: str) -> Client:
    client = Client()
    client.post("/account/login/", {"login": email, "password": PASSWORD})
    return client


def code_of(secret: str, *, later: int = 0) -> str:
    """What the app shows, now or some half minutes later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later)))


def enrol(client: Client) -> tuple[str, Response]:
    """The app's secret, and the page that follows."""
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    secret: str = client.get(reverse("mfa_activate_totp")).context["form"].secret
    response = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    return secret, response
