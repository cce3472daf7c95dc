"""Decides what needs no counter: whether a key may be used at all, here, for this. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from gate.snapshot import KeySnapshot, ServiceFacts
from keys.origins import Origin
from stats.outcomes import Outcome


class Ruling(NamedTuple):
    """Why memory alone refuses a request (None: it does not), and whether a report-only list would have."""

    refused: Outcome | None
    would_refuse: bool = False


def ruling(
    key: KeySnapshot,
    service: ServiceFacts | None,
    origin: Origin | None,
    ip: IPv4Address | IPv6Address,
    now_us: int,
) -> Ruling:
    """What is known of the request before anything is counted: a list for report only refuses nothing, a block does."""
    refused = refusal(key, service, origin, ip, now_us)
    if refused is Outcome.ORIGIN_NOT_ALLOWED and key.is_report_only and not key.restrictions.blocks(origin):
        return Ruling(None, would_refuse=True)
    return Ruling(refused)


def refusal(
    key: KeySnapshot,
    service: ServiceFacts | None,
    origin: Origin | None,
    ip: IPv4Address | IPv6Address,
    now_us: int,
) -> Outcome | None:
    """Why the request is refused before anything is counted; None where only the counters can still refuse it.

    A dead key comes first, so that a stranger with one learns nothing else about it. The list comes last: where it
    is for report only, nothing else of memory refuses the request either.
    """
    if key.is_revoked:
        return Outcome.KEY_REVOKED
    if key.is_disabled:
        return Outcome.KEY_DISABLED
    if key.expires_at_us is not None and key.expires_at_us <= now_us:
        return Outcome.KEY_EXPIRED
    if service is None:
        return Outcome.SERVICE_UNKNOWN
    if service.key_type != key.type:
        return Outcome.KEY_TYPE
    # The parts of a map load come with it: a key that may load a map may fetch its tiles.
    if key.services is not None and service.id not in key.services and not service.is_map_part:
        return Outcome.SERVICE_NOT_ALLOWED
    if not key.restrictions.allow(origin, ip):
        return Outcome.ORIGIN_NOT_ALLOWED
    return None
