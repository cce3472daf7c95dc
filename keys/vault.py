"""How key texts are kept: a keyed digest for look-up and an authenticated ciphertext for showing again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from keys.errors import KeyUnreadable


def lookup_digest(text: str) -> str:
    """HMAC-SHA-256 of a key text under KEY_LOOKUP_SECRET, in hex: what a key is found by."""
    return hmac.digest(settings.KEY_LOOKUP_SECRET.encode(), text.encode(), "sha256").hex()


def encrypt(text: str) -> bytes:
    """The key text under the first of KEY_ENCRYPTION_SECRETS (Fernet: AES-128-CBC with HMAC-SHA-256)."""
    return _fernet(tuple(settings.KEY_ENCRYPTION_SECRETS)).encrypt(text.encode())


def decrypt(ciphertext: bytes | memoryview) -> str:
    """The key text again. Raises KeyUnreadable where no secret fits or the ciphertext was changed."""
    try:
        return _fernet(tuple(settings.KEY_ENCRYPTION_SECRETS)).decrypt(bytes(ciphertext)).decode()
    except InvalidToken:
        raise KeyUnreadable(_("This key cannot be shown: KEY_ENCRYPTION_SECRET has changed.")) from None


@cache
def _fernet(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())) for secret in secrets]
    )
