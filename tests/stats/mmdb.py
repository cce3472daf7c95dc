"""Writes a country database in MaxMind's format, for tests: https://maxmind.github.io/MaxMind-DB/."""

from __future__ import annotations

from ipaddress import IPv6Network, ip_network
from pathlib import Path
from typing import Any

_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_NUMBERS = {"node_count": _UINT32, "build_epoch": _UINT64}
_FIRST_EXTENDED = 8


def write_country_database(path: Path, countries: dict[str, str]) -> None:
    """`countries` by network, none of which lies in another. Those of IPv4 stand where readers look for them."""
    data = b"".join(_value({"country": {"iso_code": code}}) for code in countries.values())
    size = len(data) // len(countries)
    # A node is two records: the number of a node, or, negative, the place of the data of a network.
    nodes: list[list[int | None]] = [[None, None]]
    for index, network in enumerate(countries):
        bits = _bits(network)
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][bit]
            if following is None:
                nodes.append([None, None])
                following = nodes[node][bit] = len(nodes) - 1
            node = following
        nodes[node][bits[-1]] = -1 - index * size
    tree = b"".join(_record(record, len(nodes)) for node in nodes for record in node)
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _value(_metadata(len(nodes))))


def _bits(network: str) -> list[int]:
    net = ip_network(network)
    start = 0 if isinstance(net, IPv6Network) else 96
    number = int(net.network_address)
    return [(number >> (127 - place)) & 1 for place in range(start + net.prefixlen)]


def _record(record: int | None, n_nodes: int) -> bytes:
    number = n_nodes if record is None else record if record >= 0 else n_nodes + 16 + (-1 - record)
    return number.to_bytes(4, "big")


def _metadata(n_nodes: int) -> dict[str, Any]:
    return {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "database_type": "Test-Country",
        "description": {"en": "Made for tests"},
        "ip_version": 6,
        "languages": ["en"],
        "node_count": n_nodes,
        "record_size": 32,
    }


def _value(value: Any, number_type: int = _UINT16) -> bytes:
    match value:
        case str():
            return _control(_STRING, len(value)) + value.encode()
        case int():
            number = value.to_bytes(4, "big").lstrip(b"\0")
            return _control(number_type, len(number)) + number
        case dict():
            return _control(_MAP, len(value)) + b"".join(
                _value(k) + _value(v, _NUMBERS.get(k, _UINT16)) for k, v in value.items()
            )
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(_value, value))
    raise AssertionError(value)


def _control(kind: int, size: int) -> bytes:
    first, extra = (size, b"") if size < 29 else (29, bytes((size - 29,)))
    if kind < _FIRST_EXTENDED:
        return bytes((kind << 5 | first,)) + extra
    return bytes((first, kind - 7)) + extra
