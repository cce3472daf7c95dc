from __future__ import annotations

import pytest
from pytest_django import Settings

from keys.errors import KeyUnreadable
from keys.vault import decrypt, encrypt, lookup_digest

OLD, NEW = "an old secret, long enough to be one", "a new secret, long enough to be one"


def test_text_can_be_read_again_and_is_not_in_what_is_stored() -> None:
    stored = encrypt("gr_secret")
    assert decrypt(stored) == "gr_secret"
    assert b"gr_secret" not in stored


def test_the_same_text_is_stored_differently_each_time() -> None:
    assert encrypt("gr_secret") != encrypt("gr_secret")


def test_changed_ciphertext_is_refused() -> None:
    stored = bytearray(encrypt("gr_secret"))
    stored[20] ^= 1
    with pytest.raises(KeyUnreadable, match="cannot be shown"):
        decrypt(bytes(stored))


def test_rotated_secret_still_reads_what_the_old_one_stored(settings: Settings) -> None:
    settings.KEY_ENCRYPTION_SECRETS = [OLD]
    stored = encrypt("gr_secret")
    settings.KEY_ENCRYPTION_SECRETS = [NEW, OLD]
    assert decrypt(stored) == "gr_secret"
    newer = encrypt("gr_secret")
    settings.KEY_ENCRYPTION_SECRETS = [NEW]
    assert decrypt(newer) == "gr_secret"
    with pytest.raises(KeyUnreadable):
        decrypt(stored)


def test_digest_depends_on_the_text_and_on_the_secret(settings: Settings) -> None:
    settings.KEY_LOOKUP_SECRET = OLD
    digest = lookup_digest("gr_secret")
    assert digest == lookup_digest("gr_secret")
    assert len(digest) == 64
    assert digest != lookup_digest("gr_secreu")
    settings.KEY_LOOKUP_SECRET = NEW
    assert digest != lookup_digest("gr_secret")
