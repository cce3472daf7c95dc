"""What the same machine answers with nothing behind it: the bounds that no gate can pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.machine import program
from bench.stand import Contender, Serving, Stand, serving
from tests.processes import free_port

_NGINX = """\
daemon off; worker_processes 1; pid {folder}/floor.pid; error_log stderr crit;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}
"""


@contextmanager
def _hello(stand: Stand) -> Iterator[Serving]:
    port = free_port()
    with serving([sys.executable, "-m", "bench.hello", str(port)], port) as found:
        yield found


@contextmanager
def _nginx(stand: Stand) -> Iterator[Serving]:
    port = free_port()
    path = stand.folder / "floor.conf"
    path.write_text(_NGINX.format(folder=stand.folder, port=port))
    with serving([program("nginx"), "-c", str(path), "-p", str(stand.folder)], port) as found:
        yield found


FLOORS = [
    Contender(
        "hello",
        "uvloop and httptools, two bytes for every request: the gate's loop and parser with no gate in them.",
        _hello,
        expected={200: 1.0},
    ),
    Contender("nginx-200", "nginx, one worker, `return 200`: no key, no record.", _nginx, expected={200: 1.0}),
]
