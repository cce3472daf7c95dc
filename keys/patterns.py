"""URL patterns: the web sites on a key's restriction list.

`scheme://host[:port][/path]`, `*` standing for any run of characters in a scheme, a host label or a path.
A pattern is taken apart once, by `parse_pattern`; matching then only compares. No regex is made of it, ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NoReturn

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from keys.errors import Part, PatternError
from keys.globs import Everything, TextSet, glob_parse
from keys.hosts import MAX_HOST, host_normalised, host_to_ascii
from keys.origins import Origin, default_port, has_dot_segment, path_normalised

MAX_PATTERN = 2000

_WEB_SCHEMES = frozenset({"http", "https"})
_STARS = re.compile(r"\*{2,}")
_SCHEME = re.compile(r"[a-z*][a-z0-9+.*-]*")
_WILD_HOST = re.compile(r"[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)*")
_PORT = re.compile(r"[0-9]{1,5}")


# The parts in the order in which they are explained.
UrlPart = Literal["scheme", "host", "port", "path"]


class PatternParts(NamedTuple):
    """The parts of a normal text as they are written; `port` is empty where none is."""

    scheme: str
    host: str
    port: str
    path: str


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """A pattern ready to match. Two patterns are equal if their normal texts are.

    `port` is the one port it allows, None meaning the default port of the request's own scheme.
    """

    text: str
    schemes: TextSet = field(compare=False, repr=False)
    hosts: TextSet = field(compare=False, repr=False)
    port: int | None = field(compare=False, repr=False)
    is_any_port: bool = field(compare=False, repr=False)
    paths: TextSet | None = field(compare=False, repr=False)

    def matches(self, origin: Origin) -> bool:
        return (
            self._fits_host(origin)
            and self._fits_scheme(origin)
            and self._fits_port(origin)
            and self._fits_path(origin)
        )

    def faults(self, origin: Origin) -> tuple[UrlPart, ...]:
        """The parts of `origin` that it does not allow: none exactly where it matches."""
        fits: dict[UrlPart, bool] = {
            "scheme": self._fits_scheme(origin),
            "host": self._fits_host(origin),
            "port": self._fits_port(origin),
            "path": self._fits_path(origin),
        }
        return tuple(part for part, is_fit in fits.items() if not is_fit)

    @property
    def parts(self) -> PatternParts:
        scheme, _colon, rest = self.text.partition("://")
        authority, _slash, path = rest.partition("/")
        head, colon, port = authority.rpartition(":")
        if not colon or port.endswith("]"):  # The last colon of an IPv6 address.
            head, port = authority, ""
        return PatternParts(scheme, head, port, "/" + path)

    def _fits_scheme(self, origin: Origin) -> bool:
        return origin.scheme in self.schemes

    def _fits_host(self, origin: Origin) -> bool:
        return origin.host in self.hosts

    def _fits_port(self, origin: Origin) -> bool:
        return self.is_any_port or origin.port == (self.port or default_port(origin.scheme))

    def _fits_path(self, origin: Origin) -> bool:
        return self.paths is None or origin.path in self.paths

    @property
    def has_path(self) -> bool:
        """Whether it asks for more than the "/" that browsers, cross-site, send for any page's path."""
        return self.paths is not None and "/" not in self.paths


@dataclass(frozen=True, slots=True)
class Subdomains:
    """The hosts, at any depth, under a domain; `suffix` is that domain after a dot."""

    suffix: str

    def __contains__(self, host: str) -> bool:
        return host.endswith(self.suffix)


@dataclass(frozen=True, slots=True)
class HostLabels:
    """The hosts whose labels fit `labels` one to one; where `is_deep`, after one more label or several."""

    labels: tuple[TextSet, ...]
    is_deep: bool

    def __contains__(self, host: str) -> bool:
        if host.startswith("["):
            return False  # An IPv6 address has no labels.
        found = host.split(".")
        n_more = len(found) - len(self.labels)
        if not (n_more >= 1 if self.is_deep else n_more == 0):
            return False
        return all(label in allowed for label, allowed in zip(found[n_more:], self.labels, strict=True))


def parse_pattern(text: str) -> UrlPattern:
    """The pattern that `text`, entered by a customer, stands for. Raises PatternError."""
    _refuse_unusable(text)
    scheme_text, authority, path_text = _split(_STARS.sub("*", text))
    scheme = _scheme(scheme_text)
    host_text, port_text = _host_and_port(authority)
    host = _host(host_text)
    port = _port(port_text, scheme)
    path = _path(path_text)
    normal = f"{scheme}://{host}{'' if port is None else ':' + port}{path}"
    if len(normal) > MAX_PATTERN:
        _refuse_length(text)
    return UrlPattern(
        text=normal,
        schemes=_WEB_SCHEMES if scheme == "http*" else glob_parse(scheme),
        hosts=_hosts(host),
        port=int(port) if port and port != "*" else None,
        is_any_port=port == "*",
        paths=None if path == "/*" else glob_parse(path),
    )


def _refuse(reason: str, part: Part, fragment: str) -> NoReturn:
    raise PatternError(reason, part, fragment)


def _refuse_length(text: str) -> NoReturn:
    words = _("A pattern has at most %(max)s characters, those outside ASCII counted in their ASCII form.")
    _refuse(words % {"max": number_format(MAX_PATTERN, use_l10n=True, force_grouping=True)}, "pattern", text)


def _refuse_unusable(text: str) -> None:
    """Refuse what can be in no pattern, whichever part it would fall into."""
    if not text:
        _refuse(_("The pattern is empty."), "pattern", text)
    if len(text) > MAX_PATTERN:
        _refuse_length(text)
    for character in text:
        if character.isspace():
            _refuse(_("A pattern cannot contain spaces."), "pattern", character)
        if not character.isprintable():
            _refuse(_("The pattern contains an invisible character."), "pattern", character)
    if "\\" in text:
        _refuse(_("A pattern is written with “/”, not with “\\”."), "pattern", "\\")
    if tail := re.search(r"[?#].*", text):
        _refuse(_("Query and fragment are never compared: leave out “?” or “#” and what follows."), "path", tail[0])


def _split(text: str) -> tuple[str, str, str]:
    """Scheme, authority and path; a scheme left out is `http*`, a path left out `/*`."""
    scheme, colon, rest = text.partition("://")
    if not colon or "/" in scheme:
        scheme, rest = "http*", text
    authority, slash, path = rest.partition("/")
    return scheme, authority, slash + path or "/*"


def _scheme(text: str) -> str:
    scheme = text.lower()
    if not scheme:
        _refuse(_("The scheme before “://” is missing, such as “https” or “http*”."), "scheme", text)
    if not _SCHEME.fullmatch(scheme):
        _refuse(_("Before “://” belongs a scheme, such as “https” or “http*”."), "scheme", text)
    return scheme


def _host_and_port(authority: str) -> tuple[str, str | None]:
    """Both as entered; the port is None where there is no colon before it."""
    if "@" in authority:
        _refuse(_("A pattern cannot contain a user name or password (“@”)."), "host", authority)
    if authority.startswith("["):
        address, bracket, tail = authority.partition("]")
        if tail and not tail.startswith(":"):
            _refuse(_("Only a port can follow an IPv6 address."), "host", authority)
        return address + bracket, tail[1:] if tail else None
    host, colon, port = authority.partition(":")
    if ":" in port:
        _refuse(
            _("Too many colons: an IPv6 address is written in brackets, such as “[::1]”."),
            "host",
            authority,
        )
    if colon and host.lower() in _WEB_SCHEMES:
        words = _("After “%(scheme)s:” come two slashes: “%(scheme)s://”.")
        _refuse(words % {"scheme": host}, "scheme", authority)
    return host, port if colon else None


def _host(text: str) -> str:
    """The host in normal form, its wildcards kept."""
    if not text:
        _refuse(_("The host is missing. For any host, write “*”."), "host", text)
    if "*" in text and not text.startswith("["):
        return _wild_host(text)
    host = host_normalised(text)
    if host is None:
        _refuse(_("This is not a valid host name or IP address."), "host", text)
    return host


def _wild_host(text: str) -> str:
    host = host_to_ascii(text)
    if host is None:
        _refuse(
            _("Beside “*”, write letters outside ASCII in their ASCII form (“xn--…”)."),
            "host",
            text,
        )
    if not host.endswith("*."):  # Never make “any host” of a pattern cut short.
        host = host.removesuffix(".")
    if not _WILD_HOST.fullmatch(host):
        _refuse(_("This is not a valid host name with “*” in it."), "host", text)
    if len(host.replace("*", "")) > MAX_HOST:
        _refuse(_("A host name has at most %(max)s characters.") % {"max": MAX_HOST}, "host", text)
    return host


def _hosts(host: str) -> TextSet:
    if host == "*":
        return Everything()
    if "*" not in host:
        return frozenset({host})
    is_deep = host.startswith("*.")
    rest = host[2:] if is_deep else host
    if "*" not in rest:
        return Subdomains(f".{rest}")
    return HostLabels(tuple(glob_parse(label) for label in rest.split(".")), is_deep)


def _port(text: str | None, scheme: str) -> str | None:
    """The port in digits, "*" for any, None for the scheme's default."""
    if text is None or text == "*":
        return text
    if not text:
        _refuse(_("The port after “:” is missing. For any port, write “:*”."), "port", text)
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65535:
        _refuse(_("A port is a number from 1 to 65535, or “*” for any."), "port", text)
    return None if int(text) == default_port(scheme) else str(int(text))


def _path(text: str) -> str:
    if has_dot_segment(text.replace("%2e", "%2E")):
        _refuse(_("Browsers never send “.” or “..” as a part of a path."), "path", text)
    return path_normalised(text)
