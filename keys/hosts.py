"""Host names in the one form in which they are compared: ASCII, lower case, no trailing dot.

Pure text: it must not resolve names, and it must not raise, whatever the input.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

import idna

# The longest name that DNS allows, and the longest label of it (RFC 1035, section 2.3.4).
MAX_HOST = 253
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


def host_normalised(text: str) -> str | None:
    """The normal form of a host name, IPv4 address or bracketed IPv6 address; None if it is none of these."""
    if text.startswith("["):
        return _ipv6_normalised(text)
    host = host_to_ascii(text)
    if host is None:
        return None
    host = host.removesuffix(".")
    return host if len(host) <= MAX_HOST and _NAME.fullmatch(host) else None


def host_to_ascii(text: str) -> str | None:
    """`text` in lower case, each label outside ASCII in punycode; None where that cannot be.

    Mapped as browsers do (UTS #46, non-transitional), label by label, so that names which IDNA 2008
    refuses but browsers open (underscores, emoji) work too. A `*` stays; other characters that map
    to one (such as U+FF0A) are refused, so that no wildcard hides. Not checked for more than that.
    """
    if text.isascii():
        return text.lower()
    if len(text) > MAX_HOST:
        return None
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
    except UnicodeError:
        return None
    if mapped.count("*") != text.count("*"):
        return None
    labels = mapped.split(".")
    if any("*" in label and not label.isascii() for label in labels):
        return None  # Punycode moves the characters about: a wildcard among them means nothing.
    return ".".join(_label_to_ascii(label) for label in labels)


def _label_to_ascii(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def _ipv6_normalised(text: str) -> str | None:
    if not text.endswith("]") or "%" in text:
        return None  # A zone id ("%eth0") means something on one machine only.
    try:
        return f"[{IPv6Address(text[1:-1]).compressed}]"
    except AddressValueError:
        return None
