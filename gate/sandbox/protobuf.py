"""Writing protocol buffers: varints and length-delimited fields, which is all that tiles and glyphs need.

Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterable

VARINT, LENGTH_DELIMITED = 0, 2


def varint(number: int) -> bytes:
    """A non-negative number, seven bits a byte, the lowest first."""
    if number < 0:
        raise ValueError("a varint holds no negative numbers; use zigzag()")
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(0x80 | (number & 0x7F))
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def zigzag(number: int) -> int:
    """0, -1, 1, -2, … as 0, 1, 2, 3, …, so that small negative numbers stay short."""
    return (number << 1) if number >= 0 else (-number << 1) - 1


def number_field(tag: int, number: int) -> bytes:
    return varint(tag << 3 | VARINT) + varint(number)


def bytes_field(tag: int, content: bytes) -> bytes:
    return varint(tag << 3 | LENGTH_DELIMITED) + varint(len(content)) + content


def text_field(tag: int, text: str) -> bytes:
    return bytes_field(tag, text.encode("utf-8", "replace"))


def packed_field(tag: int, numbers: Iterable[int]) -> bytes:
    return bytes_field(tag, b"".join(map(varint, numbers)))
