"""Inputs made to be misread: requests of a grammar, put together wrongly, cut, doubled and garbled.

`python -m tests.gate.fuzz --inputs 1000000 --seed 7` runs as many and says what it saw; the suite runs some.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter

from tqdm import tqdm

from gate.heads import Heads, cut
from tests.gate.wire import in_loop, read

_METHODS = [b"GET", b"GET", b"GET", b"HEAD", b"OPTIONS", b"POST", b"get", b"PRI", b"G\x00T", b""]
_TARGETS = [
    b"/geocode?address=x&api_key=gr_x",
    b"/Geocode?a=b#c",
    b"/_gate/auth",
    b"/_gate/auth/v2/geocode?api_key=x",
    b"/_gate/auth?x",
    b"http://evil.example/geocode",
    b"//geocode",
    b"/%2e%2e/\\geocode",
    b"/ geocode",
    b"*",
    b"/" + b"x" * 9_000,
]
_OTHER_TARGETS = [
    b"/other?api_key=z",
    b'/%3C"<>^`{|}~',
    b"/a b",
    b"/a\r\nHost: x",
    b"*",
    b"",
    b"http://h/x",
    b"/\xc3\xa9",
]
_OTHER_VALUES = [
    b"https://other.example/",
    b"198.51.100.77",
    b"",
    b" padded ",
    b"tab\tbed",
    b"folded\r\n more",
    b"x\r\nOrigin: y",
    b"x\r\nreferer: y",
    b"x\r\nX-Forwarded-For: 1.2.3.4",
    b"x\r\n\r\nGET /smuggled HTTP/1.1",
    b"\xc3\xa9",
    b"a\0b",
    b"a\rb",
    b"a\nb",
]
_VERSIONS = [b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 x", b"http/1.1", b""]
_GOOD_HEADERS = [
    b"Host: gate",
    b"Referer: https://example.com/a?b",
    b"Origin: https://example.com",
    b"User-Agent: Mozilla/5.0",
    b"X-Forwarded-For: 198.51.100.1",
    b"Connection: keep-alive",
]
_HEADERS = [
    b"Host: a\r\nHost: b",
    b"Referer: https://a.example\r\nReferer: https://b.example",
    b"Origin: null",
    b"X-Forwarded-For: 198.51.100.1, 203.0.113.9",
    b"X-Original-URI: /geocode?api_key=gr_y",
    b"X-Original-URI: /one\r\nx-original-uri: /two",
    b"X-Original-URI: /one\r\n folded",
    b"X-Forwarded-Uri: /trip",
    b"X-Forwarded-Method: OPTIONS",
    b"X-Original-Method: GET",
    b"Content-Length: 5",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding : chunked",
    b"Connection: close",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"X-Bomb: " + b"y" * 17_000,
    b"\x00: \xff",
    b"no colon",
    b" leading: space",
    b"X-Original-URI : /spaced",
]
_BODIES = [
    b"",
    b"",
    b"",
    b"hello",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n",
]
_ENDS = [b"\r\n\r\n", b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b"\r\n", b"\r\r\n\n", b""]


def make_input(chance: random.Random) -> bytes:
    """One to three requests of a connection, as likely well-formed as not."""
    data = b"".join(_request(chance) for _ in range(chance.choice((1, 1, 2, 3))))
    if chance.random() < 0.3:
        data = _garble(chance, data)
    return data


def packets_of(chance: random.Random, data: bytes) -> list[bytes]:
    """The input in packets, cut anywhere."""
    at = sorted(chance.sample(range(1, len(data)), min(chance.randrange(6), len(data) - 1))) if len(data) > 1 else []
    return [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]


def check(chance: random.Random, data: bytes) -> list[int]:
    """The statuses of an input; asserts that it is read alike however it comes, and whatever was read before."""
    found, statuses = read([data], Heads(), chance)
    # A line that is not ASCII is mended only where it comes whole, and limits of size are looked at after packets.
    if data.isascii() and len(data) < 8_000:
        assert read(packets_of(chance, data), Heads(), chance) == (found, statuses), data
    heads = Heads()
    read([data], heads)
    assert read([data], heads, chance) == (found, statuses), data
    _check_other_values(chance, data, heads)
    return statuses


def _check_other_values(chance: random.Random, data: bytes, heads: Heads) -> None:
    """A head that is known is read with another target, caller or page as the parser would read it."""
    target, forwarded_for, referer, origin, _ = cut(data)
    if not target or len(data) > 8_000:
        return
    changed = data
    for value, others in (
        (target, _OTHER_TARGETS),
        (forwarded_for, _OTHER_VALUES),
        (referer, _OTHER_VALUES),
        (origin, _OTHER_VALUES),
    ):
        if value and chance.random() < 0.6:
            changed = changed.replace(value, chance.choice(others), 1)
    assert read([changed], heads) == read([changed], Heads()), changed


def _request(chance: random.Random) -> bytes:
    match chance.randrange(5):
        case 0 | 1:
            lines = [b"GET /_gate/auth HTTP/1.1", b"X-Original-URI: /geocode?api_key=gr_x"]
        case 2 | 3:
            lines = [b"GET /geocode?address=x&api_key=gr_x HTTP/1.1"]
        case _:
            lines = [b" ".join((chance.choice(_METHODS), chance.choice(_TARGETS), chance.choice(_VERSIONS)))]
    lines += chance.sample(_GOOD_HEADERS, chance.randrange(4))
    if chance.random() < 0.5:
        lines += chance.sample(_HEADERS, chance.randrange(1, 3))
        return b"\r\n".join(lines) + chance.choice(_ENDS) + chance.choice(_BODIES)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _garble(chance: random.Random, data: bytes) -> bytes:
    garbled = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(garbled) + 1)
        match chance.randrange(4):
            case 0:
                garbled[at:at] = bytes([chance.randrange(256)])
            case 1:
                del garbled[at : at + chance.randrange(1, 9)]
            case 2:
                garbled[at:at] = garbled[at : at + 40]
            case _:
                garbled[at : at + 1] = chance.choice((b"\r", b"\n", b"\r\n", b"\0", b" ", b":", b"\t"))
    return bytes(garbled)


def run(n_inputs: int, seed: int, *, shows_progress: bool = False) -> Counter[int]:
    """How often each status was answered to `n_inputs` inputs."""
    chance = random.Random(seed)
    statuses: Counter[int] = Counter()
    for _ in tqdm(range(n_inputs), disable=not shows_progress, unit="input"):
        statuses.update(check(chance, make_input(chance)))
    return statuses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    statuses = asyncio.run(in_loop(lambda: run(options.inputs, options.seed, shows_progress=True)))
    print(f"{options.inputs:,} inputs read alike; answers: {dict(sorted(statuses.items()))}")


if __name__ == "__main__":
    main()
