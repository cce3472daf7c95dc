"""Why a request passes a restriction list or does not: entry by entry, part by part. Pure.

It asks the very patterns and ranges that the gate asks, with an origin weighed from headers as the gate weighs
it, so that a tester built on it cannot disagree with the gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from keys.errors import PART_NAMES
from keys.ip_ranges import ip_in_ranges
from keys.origins import Origin, default_port, origin_text, request_origin
from keys.patterns import UrlPart, UrlPattern
from keys.restrictions import RestrictionEntry, Restrictions, entry_text

_Ip = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class PartCheck:
    """One part of a pattern beside that of the request; `why_not` is a sentence, empty where it fits."""

    part: UrlPart
    wanted: str
    found: str
    why_not: str

    @property
    def fits(self) -> bool:
        return not self.why_not

    @property
    def part_name(self) -> str:
        return str(PART_NAMES[self.part])


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """One entry beside a request. `parts` are those of a pattern that was compared; else `why_not` says it."""

    text: str
    is_match: bool
    parts: tuple[PartCheck, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a request passes, in a sentence why, and every entry in the order of the list."""

    is_allowed: bool
    reason: str
    entries: tuple[EntryCheck, ...] = ()
    is_blocked: bool = False


def sent_by_browser(page: Origin, *, is_whole_url: bool = False) -> Origin | None:
    """The origin of a request that a script on `page` makes to another site, as the gate reads it.

    By default browsers send the origin only; `is_whole_url` is for pages with the policy `unsafe-url`.
    """
    site = origin_text(page)
    return request_origin(site + (page.path if is_whole_url else "/"), site)


def explain(
    entries: Iterable[RestrictionEntry],
    *,
    origin: Origin | None,
    ip: _Ip | None,
    allows_no_origin: bool = False,
    blocked: Iterable[str] = (),
) -> Explanation:
    """What a list makes of a request from `origin` (None: it names none) and `ip` (None: not asked about).

    `blocked` are hosts that are refused whatever the list says.
    """
    entries = tuple(dict.fromkeys(entries))
    if origin is not None and Restrictions.of_parsed((), blocked=blocked).blocks(origin):
        reason = _("%(host)s is blocked on this key, whatever the list says.") % {"host": origin.host}
        return Explanation(False, reason, tuple(entry_check(entry, origin=origin, ip=ip) for entry in entries), True)
    if ip is None:  # No range is asked then; the list without them is, unless nothing were left of it.
        asked = tuple(entry for entry in entries if isinstance(entry, UrlPattern))
        is_allowed = not entries or (bool(asked) and _allows(asked, origin, IPv4Address(0), allows_no_origin))
    else:
        is_allowed = _allows(entries, origin, ip, allows_no_origin)
    checks = tuple(entry_check(entry, origin=origin, ip=ip) for entry in entries)
    return Explanation(is_allowed, _reason(checks, is_allowed, origin), checks)


def entry_check(entry: RestrictionEntry, *, origin: Origin | None, ip: _Ip | None) -> EntryCheck:
    if isinstance(entry, UrlPattern):
        return _pattern_check(entry, origin)
    return _range_check(entry, ip)


def _allows(entries: Iterable[RestrictionEntry], origin: Origin | None, ip: _Ip, allows_no_origin: bool) -> bool:
    return Restrictions.of_parsed(entries, allows_no_origin=allows_no_origin).allow(origin, ip)


def _reason(checks: tuple[EntryCheck, ...], is_allowed: bool, origin: Origin | None) -> str:
    if not checks:
        return _("The list is empty: the key works from anywhere.")
    matched = next((check.text for check in checks if check.is_match), None)
    if matched is not None:
        return _("“%(entry)s” lets it pass.") % {"entry": matched}
    if is_allowed:
        return _("It names no web site, and this key lets such requests pass.")
    if origin is None:
        return _("It names no web site, and no IP address on the list fits.")
    return _("No entry fits; one would be enough.")


def _range_check(network: IPv4Network | IPv6Network, ip: _Ip | None) -> EntryCheck:
    text = entry_text(network)
    if ip is None:
        return EntryCheck(text, False, why_not=_("Enter an IP address to have it compared."))
    if ip_in_ranges(ip, (network,)):
        return EntryCheck(text, True)
    words = _("%(ip)s is another address.") if network.num_addresses == 1 else _("%(ip)s is not in this range.")
    return EntryCheck(text, False, why_not=words % {"ip": ip})


def _pattern_check(pattern: UrlPattern, origin: Origin | None) -> EntryCheck:
    if origin is None:
        return EntryCheck(pattern.text, False, why_not=_("The request names no web site."))
    faults = pattern.faults(origin)
    wanted = pattern.parts
    found = {"scheme": origin.scheme, "host": origin.host, "port": str(origin.port or "none"), "path": origin.path}
    parts = tuple(
        PartCheck(
            part,
            getattr(wanted, part) or "default",
            found[part],
            _why_not(part, pattern, origin) if part in faults else "",
        )
        for part in ("scheme", "host", "port", "path")
    )
    return EntryCheck(pattern.text, not faults, parts)


def _why_not(part: UrlPart, pattern: UrlPattern, origin: Origin) -> str:
    wanted = pattern.parts
    if part == "scheme":
        words = _("The page is on %(found)s, the entry is for %(wanted)s.")
        return words % {"found": origin.scheme, "wanted": wanted.scheme}
    if part == "host":
        return _why_not_host(wanted.host, origin.host)
    if part == "port":
        none = pgettext("port", "none")
        port = wanted.port or default_port(origin.scheme) or none
        words = _("The page is on port %(found)s, the entry is for port %(wanted)s.")
        return words % {"found": origin.port or none, "wanted": port}
    if origin.path == "/" and pattern.has_path:
        words = _("The entry is for %(wanted)s, and only “/” was sent, as browsers do from one site to another.")
        return words % {"wanted": wanted.path}
    words = _("The page’s path is %(found)s, the entry is for %(wanted)s.")
    return words % {"found": origin.path, "wanted": wanted.path}


def _why_not_host(wanted: str, found: str) -> str:
    names = {"found": found, "wanted": wanted}
    if wanted == f"*.{found}":
        return _("%(wanted)s covers the subdomains of %(found)s, not %(found)s itself.") % names
    if "*" not in wanted and found.endswith(f".{wanted}"):
        return _("%(found)s is a subdomain, and %(wanted)s covers none.") % names
    return _("%(found)s is not %(wanted)s.") % names
