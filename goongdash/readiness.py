"""Whether what a run has started is there: servers that answer, programs that are healthy, ports that are free."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from goongdash.embedded.servers import servers_named
from goongdash.plan import Plan, RunError
from goongdash.supervisord import Supervisord

READY_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Condition:
    """Something to wait for, and what to say when it does not come."""

    holds: Callable[[], bool]
    failure: str


def answering(plan: Plan, name: str) -> Condition:
    (server,) = servers_named([name])
    return Condition(
        lambda: server.is_ready(plan.data_dir), f"{name} does not answer; see {server.log(plan.data_dir)}."
    )


def healthy(url: str) -> Condition:
    return Condition(lambda: _status(url) == 200, f"{url} does not answer 200; the lines above may say why.")


def wait(supervisord: Supervisord, conditions: list[Condition]) -> None:
    """Wait for all, in turn. Raises `RunError` when time is up, or a program is given up."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    for condition in conditions:
        while not condition.holds():
            if failed := supervisord.failed():
                raise RunError(f"{', '.join(failed)} does not start. {condition.failure}")
            if not supervisord.is_alive or time.monotonic() > deadline:
                raise RunError(condition.failure)
            time.sleep(0.1)


def check_ports(plan: Plan) -> None:
    """Raises `RunError` naming the variable of a port that somebody else listens on."""
    listens = {"PORT": (plan.host, plan.port), "GATE_PORT": (plan.gate_host, plan.gate_port)}
    for variable, (host, port) in listens.items():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise RunError(
                    f"Port {port} on {host} cannot be used ({error.strerror}). Set {variable} to a free one."
                ) from None


def _status(url: str) -> int:
    """The status a GET answers, 0 for none. Not by urllib, which would ask a proxy where one is set."""
    host_and_port, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host_and_port, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
