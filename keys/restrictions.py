"""A key's restriction list: URL patterns and IP ranges, told apart and asked as one.

Pure; it is handed the request's origin and address and must not read headers or believe proxies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from keys.ip_ranges import ip_in_ranges, parse_ip_range
from keys.origins import Origin
from keys.patterns import UrlPattern, parse_pattern

RestrictionEntry = UrlPattern | IPv4Network | IPv6Network

# What is meant as an address, well written or not, so that a mistyped one is named as such and does not
# become the pattern of a web site: digits and dots without port or path, or hex digits with two colons.
_LIKE_IPV4 = re.compile(r"(?=[.*-]*[0-9])[0-9.*-]+(?:/[0-9.]*)?")
_LIKE_IPV6 = re.compile(r"(?=[^:]*:[^:]*:)[0-9A-Fa-f:.*-]+(?:%[^/]*)?(?:/[0-9A-Fa-f:.]*)?")


def parse_entry(text: str) -> RestrictionEntry:
    """What one entry of a list stands for, spaces around it left out. Raises RestrictionError."""
    entry = text.strip()
    if _LIKE_IPV4.fullmatch(entry) or _LIKE_IPV6.fullmatch(entry):
        return parse_ip_range(entry)
    return parse_pattern(entry)


def entry_text(entry: RestrictionEntry) -> str:
    """The normalised text of a restriction, as it is stored and shown."""
    if isinstance(entry, UrlPattern):
        return entry.text
    return str(entry.network_address if entry.num_addresses == 1 else entry)


@dataclass(frozen=True, slots=True)
class Restrictions:
    """From where a key works. `allows_no_origin`: requests that name no origin pass its patterns too.

    `blocked` are hosts in normal form: requests from them are refused before the list is looked at.
    """

    patterns: tuple[UrlPattern, ...] = ()
    ip_ranges: tuple[IPv4Network | IPv6Network, ...] = ()
    allows_no_origin: bool = False
    blocked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str], *, allows_no_origin: bool = False, blocked: Iterable[str] = ()) -> Restrictions:
        """The list in the order of `entries`, each once. Raises RestrictionError."""
        return cls.of_parsed(map(parse_entry, entries), allows_no_origin=allows_no_origin, blocked=blocked)

    @classmethod
    def of_parsed(
        cls, entries: Iterable[RestrictionEntry], *, allows_no_origin: bool = False, blocked: Iterable[str] = ()
    ) -> Restrictions:
        parsed = tuple(dict.fromkeys(entries))
        return cls(
            patterns=tuple(entry for entry in parsed if isinstance(entry, UrlPattern)),
            ip_ranges=tuple(entry for entry in parsed if not isinstance(entry, UrlPattern)),
            allows_no_origin=allows_no_origin,
            blocked=frozenset(blocked),
        )

    def allow(self, origin: Origin | None, ip: IPv4Address | IPv6Address) -> bool:
        """Whether a request from `origin` (None: it names none) and `ip` passes.

        Any one entry is enough, but for an origin that is blocked.
        """
        if self.blocks(origin):
            return False
        if not self.patterns and not self.ip_ranges:
            return True
        return self._allow_origin(origin) or ip_in_ranges(ip, self.ip_ranges)

    def blocks(self, origin: Origin | None) -> bool:
        """Whether the origin is refused whatever the list says, and from whatever address."""
        return origin is not None and origin.host in self.blocked

    def _allow_origin(self, origin: Origin | None) -> bool:
        if origin is None:
            return self.allows_no_origin and bool(self.patterns)
        return any(pattern.matches(origin) for pattern in self.patterns)
