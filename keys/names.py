"""What may be the name of a key: something to see, and nothing that plays tricks on who sees it. Pure."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

MAX_LENGTH = 100
# Marks that turn the text around them: U+202A to U+202E and U+2066 to U+2069.
_TURNS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def name_fault(name: str) -> str | None:
    """Why `name` cannot be a key's name, as a sentence for the customer; None where it can."""
    name = name.strip()
    if not any(letter.isprintable() and not letter.isspace() for letter in name):
        return _("A key needs a name.")
    if len(name) > MAX_LENGTH:
        return _("The name is longer than %(max)s characters.") % {"max": MAX_LENGTH}
    if any(letter in _TURNS or unicodedata.category(letter) == "Cc" for letter in name):
        return _("The name has characters in it that cannot be shown.")
    return None
