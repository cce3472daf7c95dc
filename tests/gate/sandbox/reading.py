"""Reads what the sandbox writes, by the formats' own rules: protocol buffers, vector tiles, glyphs, PNG and WebP."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from gate.sandbox import SandboxAnswer, sandbox_answer

Fields = list[tuple[int, Any]]
BASE_URL = "http://127.0.0.1:8001"


def ask(path: str, query: str = "api_key=K") -> SandboxAnswer:
    return sandbox_answer(path=path, query=query, base_url=BASE_URL)


def ask_json(path: str, query: str = "api_key=K") -> Any:
    answer = ask(path, query)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def refusal(answer: SandboxAnswer) -> tuple[int, str, str]:
    """Status, code and message of an answer that says no."""
    assert answer.content_type.startswith("application/json")
    body = json.loads(answer.body)
    return answer.status, body["code"], body["message"]


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def read_fields(data: bytes) -> Fields:
    """Every field of a message in order, as its tag and value; a length-delimited value is bytes."""
    fields: Fields = []
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        assert key & 7 in (0, 2), f"unexpected wire type {key & 7}"
        number, at = read_varint(data, at)
        if key & 7 == 2:
            assert at + number <= len(data), "a field runs past the end"
            fields.append((key >> 3, data[at : at + number]))
            at += number
        else:
            fields.append((key >> 3, number))
    return fields


def every(fields: Fields, tag: int) -> list[Any]:
    return [value for found, value in fields if found == tag]


def only(fields: Fields, tag: int) -> Any:
    (value,) = every(fields, tag)
    return value


def unzigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def read_packed(data: bytes) -> list[int]:
    numbers, at = [], 0
    while at < len(data):
        number, at = read_varint(data, at)
        numbers.append(number)
    return numbers


@dataclass(frozen=True)
class ReadFeature:
    shape: int
    paths: list[list[tuple[int, int]]]
    properties: dict[str, str | int]


def read_tile(data: bytes) -> dict[str, list[ReadFeature]]:
    layers = {}
    for layer in map(read_fields, every(read_fields(data), 3)):
        assert only(layer, 15) == 2
        assert only(layer, 5) == 4096
        keys = [key.decode() for key in every(layer, 3)]
        values = [_read_value(read_fields(value)) for value in every(layer, 4)]
        assert len(set(keys)) == len(keys) and len(set(values)) == len(values)
        features = [_read_feature(read_fields(feature), keys, values) for feature in every(layer, 2)]
        assert features, "empty layers must be left out"
        layers[only(layer, 1).decode()] = features
    return layers


def _read_value(fields: Fields) -> str | int:
    ((tag, value),) = fields
    assert tag in (1, 5)
    return value.decode() if tag == 1 else int(value)


def _read_feature(fields: Fields, keys: list[str], values: list[str | int]) -> ReadFeature:
    tags = read_packed(only(fields, 2))
    properties = {keys[key]: values[value] for key, value in zip(tags[::2], tags[1::2], strict=True)}
    return ReadFeature(only(fields, 3), _read_paths(read_packed(only(fields, 4))), properties)


def _read_paths(commands: list[int]) -> list[list[tuple[int, int]]]:
    paths: list[list[tuple[int, int]]] = []
    x = y = at = 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            assert count == 1
            paths[-1].append(paths[-1][0])
            continue
        assert command in (1, 2)
        for _ in range(count):
            x, y = x + unzigzag(commands[at]), y + unzigzag(commands[at + 1])
            at += 2
            if command == 1:
                paths.append([])
            paths[-1].append((x, y))
    return paths


def read_png(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and RGBA pixels; checks every chunk's sum."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(name + content),)
        chunks[name] = content
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour_type, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour_type, rest) == (8, 6, [0, 0, 0])
    raw = zlib.decompress(chunks[b"IDAT"])
    stride = 4 * width + 1
    assert len(raw) == stride * height
    rows = [raw[y * stride : (y + 1) * stride] for y in range(height)]
    assert all(row[0] == 0 for row in rows)
    return width, height, b"".join(row[1:] for row in rows)


def read_webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a lossless WebP picture; checks the lengths that its headers give."""
    assert (data[:4], data[8:16]) == (b"RIFF", b"WEBPVP8L")
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    (length,) = struct.unpack_from("<I", data, 16)
    assert len(data) == 20 + length + length % 2
    assert data[20] == 0x2F
    (bits,) = struct.unpack_from("<I", data, 21)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
