"""Encrypts the secrets of second factors: who reads the database cannot compute anybody's codes."""

from __future__ import annotations

import base64
import hmac
from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

# Another purpose, another key: never the one under which the texts of API keys are kept.
_PURPOSE = b"second factors"


def encrypt(text: str) -> str:
    """Under the first of KEY_ENCRYPTION_SECRETS (Fernet: AES-128-CBC with HMAC-SHA-256)."""
    return _fernet(tuple(settings.KEY_ENCRYPTION_SECRETS)).encrypt(text.encode()).decode()


def decrypt(ciphertext: str) -> str:
    """The text again. Raises cryptography's InvalidToken where no secret fits."""
    return _fernet(tuple(settings.KEY_ENCRYPTION_SECRETS)).decrypt(ciphertext).decode()


@cache
def _fernet(secrets: tuple[str, ...]) -> MultiFernet:
    digests = (hmac.digest(secret.encode(), _PURPOSE, "sha256") for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
