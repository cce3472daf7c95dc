"""IP ranges: what is read as one, how a mistake is named, and who lies inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import IpRangeError
from keys.ip_ranges import ip_in_ranges, parse_ip_range


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.5", "10.0.0.5/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::/0", "::/0"),
        ("::ffff:10.0.0.5", "10.0.0.5/32"),
        ("::ffff:a00:0/104", "10.0.0.0/8"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ],
)
def test_address_or_cidr_is_read_and_mapped_ipv4_becomes_ipv4(text: str, network: str) -> None:
    assert parse_ip_range(text) == ip_network(network)


def test_host_bits_are_refused_with_the_network_probably_meant() -> None:
    with pytest.raises(IpRangeError) as caught:
        parse_ip_range("10.0.0.5/24")

    assert caught.value.reason == "10.0.0.5/24 has host bits; did you mean 10.0.0.0/24?"


@pytest.mark.parametrize(
    ("text", "part", "fragment"),
    [
        ("", "address", ""),
        ("10", "address", "10"),
        ("10.0.0", "address", "10.0.0"),
        ("10.0.0.256", "address", "10.0.0.256"),
        ("010.0.0.1", "address", "010.0.0.1"),
        ("10.0.0.٣", "address", "10.0.0.٣"),
        (" 10.0.0.1", "address", " 10.0.0.1"),
        ("10.0.0.*", "address", "10.0.0.*"),
        ("10.0.0.1-10.0.0.9", "address", "10.0.0.1-10.0.0.9"),
        ("::g", "address", "::g"),
        ("[::1]", "address", "[::1]"),
        ("fe80::1%eth0", "address", "fe80::1%eth0"),
        ("1" * 3000, "address", "1" * 3000),
        ("2001:db8::1/32", "address", "2001:db8::1/32"),
        ("10.0.0.0/33", "prefix", "33"),
        ("10.0.0.0/", "prefix", ""),
        ("10.0.0.0/-1", "prefix", "-1"),
        ("10.0.0.0/8/8", "prefix", "8/8"),
        ("::/129", "prefix", "129"),
    ],
)
def test_bad_range_is_refused_with_the_part_at_fault(text: str, part: str, fragment: str) -> None:
    with pytest.raises(IpRangeError) as caught:
        parse_ip_range(text)

    assert (caught.value.part, caught.value.fragment) == (part, fragment)


@pytest.mark.parametrize(
    ("ip", "is_inside"),
    [
        ("10.255.0.1", True),
        ("11.0.0.1", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:11.0.0.1", False),
        ("2001:db8:ffff::1", True),
        ("2001:db9::1", False),
    ],
)
def test_address_is_inside_any_range_of_its_own_version(ip: str, is_inside: bool) -> None:
    ranges = (parse_ip_range("192.0.2.1"), parse_ip_range("10.0.0.0/8"), parse_ip_range("2001:db8::/32"))

    assert ip_in_ranges(ip_address(ip), ranges) is is_inside


def test_no_address_is_inside_no_ranges() -> None:
    assert not ip_in_ranges(ip_address("10.0.0.1"), ())


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_range_of_one_address_holds_that_address(ip: IPv4Address | IPv6Address) -> None:
    assert ip_in_ranges(ip, (parse_ip_range(str(ip)),))


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_range_holds_the_same_addresses_in_either_notation(ip: IPv4Address, prefix: int) -> None:
    network = ip_network((ip, prefix), strict=False)

    mapped = parse_ip_range(f"::ffff:{network.network_address}/{96 + prefix}")

    assert mapped == parse_ip_range(str(network)) == network


@given(st.one_of(st.text(max_size=40), st.text("0123456789abcdef.:/%*-[]", max_size=40)))
def test_any_text_is_a_range_or_raises_ip_range_error_only(text: str) -> None:
    try:
        network = parse_ip_range(text)
    except IpRangeError as error:
        assert error.reason
        return
    assert parse_ip_range(str(network)) == network
