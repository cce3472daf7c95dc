"""The text of a key: `<prefix>_<30 base62><6 base62 CRC-32>`. Pure; randomness comes in as an argument.

The prefix tells the type and the check digits tell typing errors, both without a look-up. Neither is a
defence: anyone can make a text that passes. Keys imported from elsewhere have any other shape.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from enum import StrEnum
from typing import Literal
from zlib import crc32

KeyTypeName = Literal["rest", "tiles"]

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
BODY_LENGTH = 30
CHECK_LENGTH = 6

PREFIXES: dict[KeyTypeName, str] = {"rest": "gr", "tiles": "gm"}
_TYPE_OF_PREFIX = {prefix: key_type for key_type, prefix in PREFIXES.items()}
_OWN_SHAPE = re.compile(r"(gr|gm)_([0-9A-Za-z]{30})([0-9A-Za-z]{6})", re.ASCII)
_IMPORTABLE = re.compile(r"[0-9A-Za-z._~-]{16,200}", re.ASCII)


class KeyShape(StrEnum):
    OWN = "own"
    MISTYPED = "mistyped"
    FOREIGN = "foreign"


def make_key_text(key_type: KeyTypeName, choose: Callable[[str], str]) -> str:
    """A new key text. `choose` picks one character of an alphabet, such as `secrets.choice`."""
    body = "".join(choose(ALPHABET) for _ in range(BODY_LENGTH))
    head = f"{PREFIXES[key_type]}_{body}"
    return head + check_digits(head)


def check_digits(head: str) -> str:
    """The CRC-32 of `<prefix>_<body>` as six base62 digits, the most significant first."""
    number = crc32(head.encode())
    digits = ""
    for _ in range(CHECK_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits


def shape_of(text: str) -> KeyShape:
    """Whether a text is one of our own, one of ours with a typing error, or of another shape."""
    if not text.startswith(("gr_", "gm_")):
        return KeyShape.FOREIGN
    match = _OWN_SHAPE.fullmatch(text)
    if match is None or check_digits(text[:-CHECK_LENGTH]) != match[3]:
        return KeyShape.MISTYPED
    return KeyShape.OWN


def type_of(text: str) -> KeyTypeName | None:
    """The type that the prefix names; None for a key of another shape."""
    return _TYPE_OF_PREFIX.get(text[:2]) if text[2:3] == "_" else None


def is_importable(text: str) -> bool:
    """Whether a key of another provider's shape may be taken over as it is."""
    return _IMPORTABLE.fullmatch(text) is not None and shape_of(text) is not KeyShape.MISTYPED


def mask(text: str) -> str:
    """Enough to tell one key from another and no more: `gr_7fK…x9Qe`."""
    return f"{text[:6]}…{text[-4:]}"
