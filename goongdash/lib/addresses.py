"""IP addresses as pages show them: whole, or without the part that tells one caller from its neighbours. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

_KEPT_GROUPS = 3  # Of an IPv6 address: what a provider gives a customer is within the fourth.


def shown_address(text: str, *, is_whole: bool) -> str:
    """`203.0.113.7` as ``203.0.113.x`` and `2001:db8:1:2::7` as ``2001:db8:1:x``; as it is where `is_whole`.

    What is no address is shown as it is: it tells nothing of a caller.
    """
    if is_whole:
        return text
    try:
        ip = ip_address(text)
    except ValueError:
        return text
    if isinstance(ip, IPv4Address):
        return f"{text.rpartition('.')[0]}.x"
    groups = ip.exploded.split(":")[:_KEPT_GROUPS]
    return ":".join([*(group.lstrip("0") or "0" for group in groups), "x"])
