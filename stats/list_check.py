"""Why a recorded request did not fit a key's list, by the objects that the gate asks: then, and today. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from django.utils.translation import gettext as _

from keys.explain import EntryCheck, explain
from keys.origins import Origin, parse_url
from keys.restrictions import RestrictionEntry


@dataclass(frozen=True, slots=True)
class ListCheck:
    """Whether the list, as it was at some time, lets the request pass by what is kept of it, and each entry's part."""

    is_allowed: bool
    entries: tuple[EntryCheck, ...]


def list_check(
    entries: Iterable[RestrictionEntry],
    *,
    origin: str,
    page_path: str,
    ip: str,
    allows_no_origin: bool,
    blocked: Iterable[str],
    shows_address: bool,
) -> ListCheck:
    """What the gate's own matching makes of a request from that origin and address."""
    explanation = explain(
        entries, origin=_page(origin, page_path), ip=ip_address(ip), allows_no_origin=allows_no_origin, blocked=blocked
    )
    return ListCheck(
        explanation.is_allowed,
        tuple(check if shows_address else _without_address(check, ip) for check in explanation.entries),
    )


def _page(origin: str, path: str) -> Origin | None:
    """As the gate read it; what said nothing but its origin has the path "/"."""
    page = parse_url(origin)
    return page if page is None or not path else replace(page, path=path)


def _without_address(check: EntryCheck, ip: str) -> EntryCheck:
    if ip not in check.why_not:
        return check
    return replace(check, why_not=_("The address that it came from is not this one, or not in this range."))
