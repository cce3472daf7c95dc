"""What can be wrong with a key and with an entry of its restriction list.

RestrictionError (ValueError)   one entry of the list cannot be used
├── PatternError                it is no URL pattern
└── IpRangeError                it is no IP address and no IP range
KeyInvalid (ValueError)         a key cannot be made from what was given
KeyChanged (Exception)          a key is no longer what it was when somebody began to edit it
OriginError (ValueError)        an origin cannot be blocked
KeyHeld (Exception)             what was asked for cannot be done to a key in its state
KeyUnreadable (Exception)       a stored key text cannot be decrypted
"""

from __future__ import annotations

from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Part = Literal["scheme", "host", "port", "path", "pattern", "address", "prefix"]
# As pages name them.
PART_NAMES: dict[Part, Promise] = {
    "scheme": _("scheme"),
    "host": _("host"),
    "port": pgettext_lazy("part of a URL", "port"),
    "path": _("path"),
    "pattern": _("pattern"),
    "address": _("address"),
    "prefix": _("prefix"),
}


class RestrictionError(ValueError):
    """`reason` is a sentence for the customer, `part` the part at fault, `fragment` its text as entered."""

    def __init__(self, reason: str, part: Part, fragment: str) -> None:
        super().__init__(reason, part, fragment)
        self.reason = reason
        self.part = part
        self.fragment = fragment

    def __str__(self) -> str:
        return self.reason

    @property
    def part_name(self) -> str:
        return str(PART_NAMES[self.part])


class PatternError(RestrictionError):
    """A URL pattern that cannot be used; `part` is scheme, host, port, path or pattern (the whole of it)."""


class IpRangeError(RestrictionError):
    """An IP range that cannot be used; `part` is address or prefix."""


class KeyInvalid(ValueError):
    """A key cannot be made so; `args[0]` is a sentence for the customer."""


class KeyChanged(Exception):
    """A key was changed since it was read for editing; `args[0]` is a sentence for the customer."""


class OriginError(ValueError):
    """An origin cannot be blocked; `args[0]` is a sentence for the customer."""


class KeyHeld(Exception):
    """What was asked for cannot be done to the key as it is; `args[0]` is a sentence for the customer."""


class KeyUnreadable(Exception):
    """A stored key text cannot be shown again; `args[0]` is a sentence for the customer."""
