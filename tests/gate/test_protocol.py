"""HTTP as it is on the wire: order, limits, malformed and slow input."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_key
from tests.processes import GateProcess


def talk(gate: GateProcess, *parts: bytes, until_closed: bool = True) -> bytes:
    """Sends `parts` one packet each, half-closes, and returns all that comes back."""
    with socket.create_connection(("127.0.0.1", gate.port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            for part in parts:
                sock.sendall(part)
            sock.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := sock.recv(65_536):
                received += chunk
        return received


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: gate", *headers, "", ""]).encode()


def test_pipelined_requests_are_answered_in_order(gate: GateProcess) -> None:
    # The first key has to be looked up; what follows could be answered before it.
    key = make_key()
    requests = get(f"/geocode?address=x&api_key={key.text}") + get("/geocode") + get("/nope") + get("/_gate/healthz")
    assert statuses(talk(gate, requests)) == [200, 403, 404, 200]


def test_request_in_many_small_packets_is_one_request(gate: GateProcess) -> None:
    request = get("/geocode", "Referer: https://example.com/")
    assert statuses(talk(gate, *(request[n : n + 3] for n in range(0, len(request), 3)))) == [403]


def test_hundreds_of_pipelined_requests_are_all_answered(gate: GateProcess) -> None:
    key = make_key(type="tiles")
    assert statuses(talk(gate, get(f"/sources/base.json?api_key={key.text}") * 400)) == [200] * 400


def test_uri_typed_with_accents_is_served(gate: GateProcess) -> None:
    request = get(f"/geocode?address=Hà+Nội&api_key={make_key().text}")
    received = talk(gate, request)
    assert statuses(received) == [200]
    assert "Hà Nội".encode() in received


def test_body_behind_a_pipelined_request_keeps_its_length(gate: GateProcess) -> None:
    # In the packet after its headers the body looks like a first line with accents in it.
    post = b"POST /geocode HTTP/1.1\r\nHost: gate\r\nContent-Length: 6\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gate.port), timeout=10) as sock:
        sock.sendall(get("/geocode") + post)
        assert statuses(sock.recv(65_536)) == [403]
        sock.sendall("éé\r\n".encode() + get("/geocode", "Connection: close"))
        received = b""
        while chunk := sock.recv(65_536):
            received += chunk
    assert statuses(received) == [405, 403]


def test_head_has_the_headers_of_get_and_no_body(gate: GateProcess) -> None:
    received = talk(gate, b"HEAD /geocode HTTP/1.1\r\nHost: gate\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403")
    assert b"Content-Length: 1" in head
    assert body == b""


@pytest.mark.parametrize("path", ["/geocode?address=x", "/nope"])
def test_preflight_is_answered_without_a_key(gate: GateProcess, path: str) -> None:
    request = f"OPTIONS {path} HTTP/1.1\r\nHost: gate\r\nOrigin: https://example.com\r\n\r\n".encode()
    received = talk(gate, request)
    assert received.startswith(b"HTTP/1.1 204")
    assert b"Access-Control-Allow-Origin: *" in received
    assert b"Access-Control-Allow-Methods: GET, HEAD, OPTIONS" in received
    assert b"X-Request-Id: " in received


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(gate: GateProcess, method: str) -> None:
    request = f"{method} /geocode HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\n\r\nabc".encode()
    assert statuses(talk(gate, request + get("/geocode"))) == [405, 403]


def test_http_1_0_and_connection_close_end_the_connection(gate: GateProcess) -> None:
    assert b"Connection: close" in talk(gate, b"GET /geocode HTTP/1.0\r\n\r\n" + get("/geocode"))
    assert statuses(talk(gate, get("/geocode", "Connection: close") + get("/geocode"))) == [403]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nNo colon here\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
def test_malformed_request_gets_400_and_a_closed_connection(gate: GateProcess, garbage: bytes) -> None:
    received = talk(gate, garbage + get("/geocode"))
    assert statuses(received) == [400]
    assert b"Connection: close" in received


def test_too_long_a_uri_and_too_large_headers_are_refused(gate: GateProcess) -> None:
    assert statuses(talk(gate, get("/geocode?" + "x" * 9_000))) == [414]
    assert statuses(talk(gate, get("/geocode", "X-Big: " + "x" * 20_000))) == [431]
    assert statuses(talk(gate, get("/geocode", *(f"X-{n}: {'x' * 100}" for n in range(400))))) == [431]
    assert statuses(talk(gate, b"GET /geocode HTTP/1.1\r\nX-Endless: " + b"x" * 100_000)) == [431]


def test_bad_request_behind_good_ones_does_not_lose_their_answers(gate: GateProcess) -> None:
    key = make_key()
    good = get(f"/geocode?address=x&api_key={key.text}")
    assert statuses(talk(gate, good * 3 + b"nonsense\r\n\r\n")) == [200, 200, 200, 400]


def test_client_that_leaves_does_not_hurt_the_others(gate: GateProcess) -> None:
    key = make_key(type="tiles")
    request = get(f"/sources/base.json?api_key={key.text}")
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", gate.port)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            sock.sendall(request * 3)
    assert statuses(talk(gate, request * 5)) == [200] * 5


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbage=st.binary(max_size=300), cut=st.integers(1, 50))
def test_random_bytes_never_stop_the_gate(session_gate: GateProcess, garbage: bytes, cut: int) -> None:
    talk(session_gate, garbage[:cut], garbage[cut:])
    assert session_gate.process.poll() is None
    assert statuses(talk(session_gate, get("/_gate/healthz"))) == [200]
