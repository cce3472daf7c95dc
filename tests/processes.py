"""Runs the project's processes for tests, on the test database and on free ports."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

import httpx
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 30
_N_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = (12_000 + _N_WORKER * 2_000, 14_000 + _N_WORKER * 2_000)
# Of the gate that the tests of a session share; of each worker, where several share the servers.
SESSION_PREFIX = f"test-gate-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


@dataclass(slots=True)
class GateProcess:
    """A gate and where it listens."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, *, ip: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
        """One request on a connection of its own; `ip` is claimed in X-Forwarded-For."""
        forwarded = {"X-Forwarded-For": ip} if ip else {}
        return httpx.get(self.base_url + path, headers={**forwarded, **(headers or {})}, timeout=10)

    def get_at_once(
        self, path: str, n: int, *, ip: str = "", headers: dict[str, str] | None = None
    ) -> list[httpx.Response]:
        """`n` such requests in one packet, so that the gate decides them together, however busy the machine is."""
        forwarded = {"X-Forwarded-For": ip} if ip else {}
        lines = [f"{name}: {value}" for name, value in {**forwarded, **(headers or {})}.items()]
        request = "\r\n".join([f"GET {path} HTTP/1.1", "Host: gate", *lines, "", ""]).encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(request * n)
            sock.shutdown(socket.SHUT_WR)
            with sock.makefile("rb") as stream:
                return [_read_response(stream) for _ in range(n)]


def _read_response(stream: BinaryIO) -> httpx.Response:
    status = int(stream.readline().split()[1])
    headers = [line.partition(b": ")[::2] for line in iter(lambda: stream.readline().rstrip(b"\r\n"), b"")]
    response = httpx.Response(status, headers=headers)
    content = stream.read(int(response.headers["Content-Length"]))
    return httpx.Response(status, headers=headers, content=content)


# A port that was given away may not be listened on yet.
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, of this worker's own and none that the system gives to outgoing connections.

    None is given twice.
    """
    while True:
        port = random.SystemRandom().randrange(*_PORTS)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def process_environment(*, redis_prefix: str, **overrides: str) -> dict[str, str]:
    """The environment of a process that shares the test's database and its part of Redis."""
    parts = urlsplit(settings.DATABASE_URL)
    database_url = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": settings.REDIS_URL,
        "REDIS_PREFIX": redis_prefix,
        **overrides,
    }


@contextmanager
def running_gate(*, redis_prefix: str, waits_for_health: bool = True, **overrides: str) -> Iterator[GateProcess]:
    """A gate that answers; stopped and waited for afterwards."""
    port = int(overrides.pop("GATE_PORT", 0)) or free_port()
    environment = process_environment(redis_prefix=redis_prefix, GATE_PORT=str(port), **overrides)
    process = subprocess.Popen([sys.executable, "-m", "gate"], cwd=ROOT, env=environment)
    gate = GateProcess(process, port)
    try:
        wait_until_answering(f"{gate.base_url}/_gate/healthz", process, healthy=waits_for_health)
        yield gate
    finally:
        stop(process)


def wait_until_answering(url: str, process: subprocess.Popen[bytes], *, healthy: bool = True) -> None:
    """Returns when `url` answers, with 200 where it is to be `healthy`."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The process ended with {process.returncode} before it answered at {url}.")
        try:
            if httpx.get(url, timeout=2).status_code == 200 or not healthy:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"No good answer at {url} after {START_TIMEOUT_S} s.")


def stop(process: subprocess.Popen[bytes], *, timeout_s: float = 10) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
