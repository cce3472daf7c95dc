"""What looks like a mistake in a restriction list, though it can be saved: said as it is typed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from keys.origins import Origin
from keys.patterns import UrlPattern
from keys.restrictions import RestrictionEntry, entry_text

# Second labels under which countries register names: example.com.vn is a domain, not a subdomain of com.vn.
_REGISTRIES = {"ac", "co", "com", "edu", "gov", "net", "org"}
_HTTP_PORTS = {"http": 80, "https": 443}


class Caution(StrEnum):
    ANY_SITE = "any_site"
    PATH = "path"
    PORT = "port"
    HTTP_ONLY = "http_only"
    NO_SUBDOMAIN = "no_subdomain"
    NO_APEX = "no_apex"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence for the customer, and the entry to `offer` (empty: none) beside the one at hand or in its place."""

    caution: Caution
    text: str
    offer: str = ""
    is_instead: bool = False


def entry_advice(entry: RestrictionEntry) -> list[Advice]:
    """What one entry gives reason to say, whatever else is on the list."""
    if not isinstance(entry, UrlPattern):
        return [_any_address()] if entry.prefixlen == 0 else []
    found = (_any_site(entry), _path(entry), _port(entry), _http_only(entry))
    return [advice for advice in found if advice is not None]


def list_advice(entries: Sequence[RestrictionEntry], *, is_from_browsers: bool) -> list[Advice]:
    """What the list as a whole gives reason to say. `is_from_browsers`: the key is, or is meant to be, in web pages."""
    patterns = [entry for entry in entries if isinstance(entry, UrlPattern)]
    found = [advice for pattern in patterns if (advice := _relatives(pattern, patterns)) is not None]
    addresses = [entry for entry in entries if not isinstance(entry, UrlPattern)]
    if addresses and (is_from_browsers or patterns):
        found.append(_address(entry_text(addresses[0]), is_from_browsers=is_from_browsers))
    return list(dict.fromkeys(found))


def _any_site(pattern: UrlPattern) -> Advice | None:
    host = pattern.parts.host
    labels = host.split(".")
    if host == "*" or labels == ["*"] * len(labels):
        text = _("This lets every web site pass: whoever finds the key can use it, and you pay.")
    elif labels[0] == "*" and (len(labels) == 2 or _is_registry(labels[1:])) and not labels[-1].startswith("local"):
        text = _("This lets every web site under “.%(domain)s” pass, strangers’ among them.") % {"domain": host[2:]}
    else:
        return None
    return Advice(Caution.ANY_SITE, text)


def _path(pattern: UrlPattern) -> Advice | None:
    if not pattern.has_path:
        return None
    text = _("Most browsers name only the site, not the page, so an entry with a path rarely lets a request pass.")
    return Advice(Caution.PATH, text, _with(pattern, path="/*"), is_instead=True)


def _port(pattern: UrlPattern) -> Advice | None:
    scheme, host, port = pattern.parts[:3]
    is_own_machine = host in ("localhost", "[::1]", "0.0.0.0") or host.startswith("127.")  # noqa: S104
    if port or not is_own_machine or scheme not in ("http", "https", "http*"):
        return None
    text = _("Without a port this is port 80 for http and 443 for https; development servers use others.")
    return Advice(Caution.PORT, text, _with(pattern, port="*"), is_instead=True)


def _http_only(pattern: UrlPattern) -> Advice | None:
    scheme, host, port = pattern.parts[:3]
    if scheme != "http" or port or host == "localhost" or host.startswith(("127.", "[", "10.", "192.168.")):
        return None
    text = _("This covers http only, and most sites are on https.")
    return Advice(Caution.HTTP_ONLY, text, _with(pattern, scheme="http*"), is_instead=True)


def _relatives(pattern: UrlPattern, patterns: Sequence[UrlPattern]) -> Advice | None:
    """A domain whose subdomains no pattern covers, or the reverse."""
    host = pattern.parts.host
    if host.startswith("*.") and "*" not in host[2:] and not _is_registry(host[2:].split(".")) and "." in host[2:]:
        domain = host[2:]
        if not _is_covered(domain, pattern, patterns):
            words = _("“%(wild)s” covers the subdomains of “%(domain)s”, not “%(domain)s” itself.")
            text = words % {"wild": host, "domain": domain}
            return Advice(Caution.NO_APEX, text, _relative(pattern, domain))
    elif host.startswith("www.") and _is_domain(host[4:]):
        if not _is_covered(host[4:], pattern, patterns):
            text = _("“%(host)s” does not cover “%(domain)s”.") % {"host": host, "domain": host[4:]}
            return Advice(Caution.NO_APEX, text, _relative(pattern, host[4:]))
    elif _is_domain(host) and not _is_covered(f"www.{host}", pattern, patterns):
        text = _("“%(host)s” covers no subdomain, not even “www.%(host)s”.") % {"host": host}
        return Advice(Caution.NO_SUBDOMAIN, text, _relative(pattern, f"*.{host}"))
    return None


def _relative(pattern: UrlPattern, host: str) -> str:
    """The same for another host, on any page: what is missing is the site."""
    return _with(pattern, host=host, path="/*") if pattern.has_path else _with(pattern, host=host)


def _is_covered(host: str, like: UrlPattern, patterns: Sequence[UrlPattern]) -> bool:
    """Whether any of `patterns` lets `host` pass, on the scheme and port that `like` is for."""
    scheme = "http" if like.parts.scheme == "http" else "https"
    origin = Origin(scheme, host, like.port or _HTTP_PORTS[scheme], "/")
    return any(pattern.matches(origin) for pattern in patterns)


def _address(text: str, *, is_from_browsers: bool) -> Advice:
    if is_from_browsers:
        words = _(
            "“%(address)s” is for servers: from web pages, requests come from the addresses of your visitors, "
            "which change and are not yours."
        )
    else:
        words = _(
            "“%(address)s” is for servers: any one entry is enough, so a request from that address passes "
            "whatever web site it names."
        )
    return Advice(Caution.ADDRESS, words % {"address": text})


def _any_address() -> Advice:
    text = _("This lets every address pass: whoever finds the key can use it, and you pay.")
    return Advice(Caution.ANY_SITE, text)


def _with(pattern: UrlPattern, **changed: str) -> str:
    scheme, host, port, path = pattern.parts._replace(**changed)
    return f"{scheme}://{host}{':' + port if port else ''}{path}"


def _is_domain(host: str) -> bool:
    """Whether it looks like a name that somebody has registered, with nothing before it."""
    labels = host.split(".")
    if "*" in host or host.startswith("[") or labels[-1].isdigit():
        return False
    return len(labels) == 2 or (len(labels) == 3 and _is_registry(labels[1:]))


def _is_registry(labels: list[str]) -> bool:
    return len(labels) == 2 and labels[0] in _REGISTRIES and len(labels[1]) == 2
