"""The protobuf encoder, read back by the decoder of these tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.sandbox.protobuf import bytes_field, number_field, packed_field, text_field, varint, zigzag
from tests.gate.sandbox.reading import read_fields, read_packed, read_varint, unzigzag


def test_varint_of_the_formats_own_example() -> None:
    assert varint(150) == b"\x96\x01"


@given(st.integers(0, 2**64 - 1))
def test_varint_reads_back(number: int) -> None:
    assert read_varint(varint(number), 0) == (number, len(varint(number)))


def test_varint_refuses_negative_numbers() -> None:
    with pytest.raises(ValueError, match="zigzag"):
        varint(-1)


def test_zigzag_keeps_small_numbers_small() -> None:
    assert [zigzag(number) for number in (0, -1, 1, -2, 2)] == [0, 1, 2, 3, 4]


@given(st.integers(-(2**31), 2**31 - 1))
def test_zigzag_reads_back(number: int) -> None:
    assert unzigzag(zigzag(number)) == number


@given(st.integers(1, 15), st.integers(0, 2**32), st.binary(), st.text(), st.lists(st.integers(0, 2**32)))
def test_message_reads_back(tag: int, number: int, content: bytes, text: str, numbers: list[int]) -> None:
    message = number_field(tag, number) + bytes_field(16, content) + text_field(17, text) + packed_field(18, numbers)
    fields = read_fields(message)
    assert fields[:3] == [(tag, number), (16, content), (17, text.encode())]
    assert read_packed(fields[3][1]) == numbers
