"""No bytes make the gate crash, hang, or read one request as another."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.heads import Heads
from tests.gate import fuzz
from tests.gate.wire import in_loop, read

QUESTION = b"GET /_gate/auth HTTP/1.1\r\nHost: gate\r\nX-Original-URI: %s\r\nX-Original-Method: GET\r\n\r\n"


def test_inputs_made_to_be_misread_are_read_alike_however_they_come() -> None:
    statuses = asyncio.run(in_loop(lambda: fuzz.run(4_000, seed=2_026)))
    # Not a walk through refusals only: much of it is read, much is not.
    assert statuses[200] > 1_000
    assert statuses[400] > 1_000
    assert statuses.keys() <= {200, 400, 414, 431}


@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_any_bytes_are_answered_or_waited_for(data: bytes, seed: int) -> None:
    asyncio.run(in_loop(lambda: fuzz.check(random.Random(seed), data)))


@pytest.mark.parametrize(
    "smuggling",
    [
        b"Content-Length: 30\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 30",
        b"Content-Length: 30\r\nContent-Length: 0",
        b"Content-Length: 30, 0",
        b"Content-Length: +30",
        b"Transfer-Encoding: identity, chunked, x",
        b"Transfer-Encoding : chunked",
    ],
)
def test_body_whose_end_is_in_doubt_is_not_read_past(smuggling: bytes) -> None:
    data = b"POST /a HTTP/1.1\r\nHost: h\r\n" + smuggling + b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    found, statuses = asyncio.run(in_loop(lambda: read([data], Heads())))
    assert b"/smuggled" not in [target for _, target, _, _ in found]
    assert statuses[-1:] == [400]


def test_known_head_is_read_with_its_own_target_and_nothing_else() -> None:
    def run() -> None:
        heads = Heads()
        targets = [b"/geocode?api_key=a", b"/trip?api_key=b", b"/geocode?api_key=c"]
        for target in targets:
            found, _ = read([QUESTION % target], heads)
            assert [(method, its, asks) for method, its, _, asks in found] == [("GET", target, True)]
        assert len(heads) == 1
        # Neither two requests in a packet nor half of one is a head that was seen.
        found, statuses = read([QUESTION % targets[0] * 2], heads)
        assert [its for _, its, _, _ in found] == [targets[0]] * 2
        assert statuses == [200, 200]
        assert read([(QUESTION % targets[0])[:-2]], heads) == ([], [])

    asyncio.run(in_loop(run))


def test_question_is_one_even_where_a_request_had_the_same_headers() -> None:
    def run() -> None:
        heads = Heads()
        rest = b" HTTP/1.1\r\nHost: h\r\n\r\n"
        read([b"GET /geocode" + rest], heads)
        found, _ = read([b"GET /_gate/auth/v2/geocode?api_key=z" + rest], heads)
        assert [(its, asks) for _, its, _, asks in found] == [(b"/v2/geocode?api_key=z", True)]

    asyncio.run(in_loop(run))


@pytest.mark.parametrize(
    "head",
    [
        b"GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
        b"GET /a HTTP/1.0\r\nHost: h\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nX-Long: " + b"x" * 3_000 + b"\r\n\r\n",
        b"GET /_gate/auth HTTP/1.1\r\nX-Original-URI: /a\r\nX-Original-URI: /b\r\n\r\n",
        b"GET /_gate/auth HTTP/1.1\r\nX-Original-URI: /a\r\nX-Forwarded-Uri: /b\r\n\r\n",
    ],
)
def test_head_that_says_more_than_itself_is_not_remembered(head: bytes) -> None:
    heads = Heads()
    asyncio.run(in_loop(lambda: read([head], heads)))
    assert len(heads) == 0


def test_forgets_all_heads_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.heads.MAX_HEADS", 3)
    heads = Heads()

    def run() -> None:
        for n in range(5):
            read([b"GET /a HTTP/1.1\r\nHost: h%d\r\n\r\n" % n], heads)

    asyncio.run(in_loop(run))
    assert len(heads) == 2
