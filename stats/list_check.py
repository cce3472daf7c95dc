"""Why a recorded request did not fit a key's list, by the objects that the gate asks: then, and today. Pure.

A record has the origin, not the path: of an entry that asks for a path it is not known whether it fitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from django.utils.translation import gettext as _

from keys.explain import EntryCheck, PartCheck, explain
from keys.origins import parse_url
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
    ip: str,
    allows_no_origin: bool,
    blocked: Iterable[str],
    shows_address: bool,
) -> ListCheck:
    """What the gate's own matching makes of a request from that origin and address."""
    explanation = explain(
        entries, origin=parse_url(origin), ip=ip_address(ip), allows_no_origin=allows_no_origin, blocked=blocked
    )
    checks = (_without_path(check) for check in explanation.entries)
    return ListCheck(
        explanation.is_allowed, tuple(check if shows_address else _without_address(check, ip) for check in checks)
    )


def _without_path(check: EntryCheck) -> EntryCheck:
    return replace(check, parts=tuple(map(_path_unknown, check.parts)))


def _path_unknown(part: PartCheck) -> PartCheck:
    if part.part != "path" or part.fits:
        return part
    why = _("The entry is for %(path)s. Which path was sent is not kept; from one site to another, browsers send “/”.")
    return replace(part, why_not=why % {"path": part.wanted})


def _without_address(check: EntryCheck, ip: str) -> EntryCheck:
    if ip not in check.why_not:
        return check
    return replace(check, why_not=_("The address that it came from is not this one, or not in this range."))
