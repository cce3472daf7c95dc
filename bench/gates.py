"""The gate in the ways it is measured: alone, written through, reading its keys anew, twice, and behind nginx."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.answers import ask_each
from bench.cores import LOAD_CORE, SERVER_CORE
from bench.cpu import rss_bytes
from bench.machine import program
from bench.stand import Contender, Serving, Stand, serving
from bench.workload import API_PATH, Question, as_api_request, as_auth_request
from tests.processes import ROOT, free_port

_API = """\
daemon off; worker_processes 1; pid {folder}/api{port}.pid; error_log stderr crit;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 1000000000; server {{ listen 127.0.0.1:{port}; return 200 "{{}}"; }} }}
"""
# The shipped configuration with a load balancer before it, which names the caller's address.
_PROXY = """\
daemon off; worker_processes 1; pid {folder}/proxy{port}.pid; error_log stderr crit;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 1000000000;
  set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;
  {configuration}
}}
"""


@contextmanager
def gate_process(port: int, core: int = SERVER_CORE, **settings: str) -> Iterator[Serving]:
    """One gate, which reads no key a second time for as long as it is measured, unless `settings` say otherwise."""
    environment = {"GATE_PORT": str(port), "GATE_PROCESSES": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    environment |= {"KEY_CACHE_TTL_S": "3600", **settings}
    with serving([sys.executable, "-m", "gate"], port, core=core, environment=environment) as found:
        yield found


def prime(stand: Stand, port: int) -> None:
    """Asks once with every key, so that the gate knows all of them and no quota of one is left."""
    requests = [as_auth_request(_first_question(n, key.patterns[0]), key.text) for n, key in enumerate(stand.keys)]
    statuses = ask_each(port, requests)
    if statuses.total() != statuses[200] + statuses[429]:
        raise RuntimeError(f"The keys are not all good: {statuses}.")


@contextmanager
def _alone(stand: Stand) -> Iterator[Serving]:
    """One process for all who measure one: reading every key takes its time."""
    if stand.gate is None:
        with gate_process(free_port()) as gate:
            before, began_at = rss_bytes(gate.processes), time.monotonic()
            prime(stand, gate.port)
            stand.figures["keys read for the first time, a second"] = len(stand.keys) / (time.monotonic() - began_at)
            stand.figures["MiB of a gate that knows no key"] = before / 2**20
            grown = (rss_bytes(gate.processes) - before) / 2**20
            stand.figures["MiB that 10,000 keys add to it"] = grown * 10_000 / len(stand.keys)
            stand.gate = gate
            yield gate
            stand.gate = None
    else:
        yield stand.gate


@contextmanager
def _rereading(stand: Stand) -> Iterator[Serving]:
    with gate_process(free_port(), KEY_CACHE_TTL_S="30") as gate:
        prime(stand, gate.port)
        yield gate


@contextmanager
def _two(stand: Stand) -> Iterator[Serving]:
    """On one port, one on each core: the second takes what the load and the store leave of theirs."""
    port = free_port()
    with gate_process(port) as first, gate_process(port, LOAD_CORE) as second:
        # Either gets about half of the connections, and so of the keys.
        for _ in range(2):
            prime(stand, port)
        yield Serving(port, first.processes + second.processes)


@contextmanager
def _behind_nginx(stand: Stand, *, has_api: bool) -> Iterator[Serving]:
    with _alone(stand) as gate, _api(stand) as api:
        port = free_port()
        path = _proxy_file(stand, port, gate.port, api.port if has_api else None)
        with serving([program("nginx"), "-c", str(path), "-p", str(stand.folder)], port) as proxy:
            yield Serving(port, proxy.processes + gate.processes)


@contextmanager
def _api(stand: Stand) -> Iterator[Serving]:
    port = free_port()
    path = stand.folder / f"api{port}.conf"
    path.write_text(_API.format(folder=stand.folder, port=port))
    with serving([program("nginx"), "-c", str(path), "-p", str(stand.folder)], port, core=LOAD_CORE) as found:
        yield found


def _proxy_file(stand: Stand, port: int, gate_port: int, api_port: int | None) -> Path:
    """deploy/nginx.conf on these ports; without an API, what is allowed gets an empty picture from nginx itself."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    ports = {8001: gate_port, 9000: api_port or free_port(), 8080: port, 8081: free_port(), 8000: free_port()}
    for old, new in ports.items():
        text, n = re.subn(rf"(127\.0\.0\.1:|listen ){old};", rf"\g<1>{new};", text)
        if n != 1:
            raise RuntimeError(f"deploy/nginx.conf names port {old} {n} times.")
    if api_port is None:
        text = text.replace("proxy_pass http://your_api;", "empty_gif;")
    path = stand.folder / f"proxy{port}.conf"
    path.write_text(_PROXY.format(folder=stand.folder, port=port, configuration=text))
    return path


def _first_question(n: int, pattern: str) -> Question:
    host = pattern.removeprefix("http*://").removesuffix("/*").replace("*", "www")
    return Question(n, API_PATH, f"https://{host}/", "10.255.0.1", 200)


GATES = [
    Contender(
        "gate",
        "This gate, one process, with every key in its memory: all limits, all or nothing, exact in every window; "
        "every decision recorded in the store's stream, refusals too; the store writes through every second.",
        _alone,
    ),
    Contender("gate-always", "The same; the store writes through before it answers.", _alone, appendfsync="always"),
    Contender(
        "gate-30s",
        "The same as `gate`, reading each key anew from PostgreSQL every 30 seconds, as it is shipped.",
        _rereading,
    ),
    Contender(
        "gate-two", "Two processes on one port, one on each core: the second shares its core with the load.", _two
    ),
    Contender(
        "gate-nginx",
        "`deploy/nginx.conf` before the gate, both on the one core; nginx itself answers what is allowed.",
        lambda stand: _behind_nginx(stand, has_api=False),
        encode=as_api_request,
    ),
    Contender(
        "gate-nginx-api",
        "The same, and what is allowed is passed on to an API (an nginx on the load's core).",
        lambda stand: _behind_nginx(stand, has_api=True),
        encode=as_api_request,
    ),
]
