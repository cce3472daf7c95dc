"""Reads a comma-separated list of IP addresses and CIDR ranges from a setting."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from environs import EnvError


def networks(value: str | list[Any], **_: Any) -> list[IPv4Network | IPv6Network]:
    """The networks named by `value`; raises EnvError saying which one is none."""
    if isinstance(value, list):
        return value
    found = []
    for text in filter(None, (part.strip() for part in value.split(","))):
        try:
            found.append(ip_network(text))
        except ValueError as error:
            raise EnvError(str(error)) from error
    return found
