"""IP ranges: the servers on a key's restriction list, each one address or one CIDR network, v4 or v6.

Pure; it is told the caller's address and must not find it out itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.utils.translation import gettext as _

from keys.errors import IpRangeError

# The longest text of an IPv6 network: 45 characters of address, a slash, and as much again for a mask.
_MAX_TEXT = 91
# An IPv4 address written as IPv6 has these bits before it (RFC 4291, section 2.5.5.2).
_MAPPED_BITS = 96


def parse_ip_range(text: str) -> IPv4Network | IPv6Network:
    """The network that `text` names, a single address being a network of one. Raises IpRangeError.

    IPv4 written as IPv6 ("::ffff:10.0.0.1") becomes IPv4.
    """
    address, slash, prefix = text.partition("/")
    if not slash and any(mark in text for mark in "*-"):
        raise IpRangeError(_("Write a range of addresses as CIDR, such as 10.0.0.0/24."), "address", text)
    if not _is_address(address):
        raise IpRangeError(_("This is not an IP address."), "address", address)
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        words = _("The number after “/” must be from 0 to %(max)s.")
        raise IpRangeError(words % {"max": ip_address(address).max_prefixlen}, "prefix", prefix) from None
    if slash and network.network_address != ip_address(address):
        words = _("%(text)s has host bits; did you mean %(network)s?")
        raise IpRangeError(words % {"text": text, "network": network}, "address", text)
    return _unmapped(network)


def ip_in_ranges(ip: IPv4Address | IPv6Address, ranges: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether `ip` lies in any of `ranges`; an IPv4 address written as IPv6 counts as IPv4."""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in ranges)


def _is_address(text: str) -> bool:
    if len(text) > _MAX_TEXT or "%" in text:  # A zone id ("%eth0") means something on one machine only.
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network
