"""The tester beside the restriction list: what was typed into it, and what the list makes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.utils.translation import gettext as _

from keys.advice import Advice, list_advice
from keys.entries import entries_read
from keys.explain import Explanation, explain, sent_by_browser
from keys.origins import Origin, origin_text, parse_url


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it is typed: the URL of a page (empty: none is named) and an IP address (empty: not asked)."""

    url: str = ""
    ip: str = ""
    is_whole_url: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`sent` is what the gate would read; the errors are sentences. Nothing is explained where nothing was asked."""

    explanation: Explanation | None = None
    sent: str = ""
    url_error: str = ""
    ip_error: str = ""
    n_unusable: int = 0
    advice: Sequence[Advice] = ()


def list_test(
    texts: Iterable[str],
    question: Question,
    *,
    allows_no_origin: bool = False,
    is_from_browsers: bool = False,
    blocked: Iterable[str] = (),
) -> Answer:
    """What a list, as typed, makes of a request. Entries that cannot be used are left out, and counted."""
    typed = entries_read(texts)
    entries = [entry.parsed for entry in typed if entry.parsed is not None]
    n_unusable = len(typed) - len(entries)
    advice = list_advice(entries, is_from_browsers=is_from_browsers)
    url, ip = question.url.strip(), question.ip.strip()
    if (not url and not ip) or (n_unusable and not entries):
        return Answer(n_unusable=n_unusable, advice=advice)
    page, address = _page(url), _address(ip)
    if (url and page is None) or (ip and address is None):
        url_error = (
            _("This is not the address of a page, such as https://example.com/shop.") if url and not page else ""
        )
        ip_error = _("This is not an IP address.") if ip and address is None else ""
        return Answer(url_error=url_error, ip_error=ip_error, n_unusable=n_unusable, advice=advice)
    origin = None if page is None else sent_by_browser(page, is_whole_url=question.is_whole_url)
    explanation = explain(entries, origin=origin, ip=address, allows_no_origin=allows_no_origin, blocked=blocked)
    return Answer(explanation, _sent(origin), n_unusable=n_unusable, advice=advice)


def _page(url: str) -> Origin | None:
    """The page of a URL; of one typed without its scheme, that on https."""
    return parse_url(url if "://" in url or not url else f"https://{url}")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _sent(origin: Origin | None) -> str:
    return "" if origin is None else origin_text(origin) + origin.path
