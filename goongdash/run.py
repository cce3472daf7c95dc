"""`make run`: everything on one machine, from an empty folder to a ready banner, until Ctrl-C.

Owns the order of things and what is said at the terminal. What is started is in the Procfile; how supervisord
is told of it, in `supervise`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, cast

from goongdash.embedded import folders, locks, paths, processes
from goongdash.embedded.errors import EmbeddedServerError
from goongdash.embedded.servers import keeping_servers, servers_named
from goongdash.output import Output
from goongdash.supervise import (
    PROGRAM_GROUP,
    SERVERS,
    ProcfileError,
    Supervision,
    expand,
    read_procfile,
)
from goongdash.supervisord import OWN_NAME, Supervisord

# In the environment of all that a run starts, so that the next run finds what a killed one has left.
MARK = "GOONGDASH_RUN"
READY_TIMEOUT_S = 120
LEFTOVERS_TIMEOUT_S = 60


class RunError(Exception):
    """The run cannot start, or cannot go on; the message is for the person at the terminal."""


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP: not an error, and nobody's to catch on the way."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the environment asks this run to do."""

    root: Path
    data_dir: Path
    host: str
    port: int
    gate_host: str
    gate_port: int
    n_gates: int
    n_web_workers: int
    servers: tuple[str, ...]
    seeds_demo: bool

    @classmethod
    def from_environment(cls, root: Path) -> Plan:
        return cls(
            root=root,
            data_dir=paths.data_dir(),
            host=os.environ.get("HOST") or "127.0.0.1",
            port=_number("PORT", 8000),
            gate_host=os.environ.get("GATE_HOST") or "127.0.0.1",
            gate_port=_number("GATE_PORT", 8001),
            n_gates=_number("GATE_PROCESSES", 1),
            n_web_workers=_number("WEB_WORKERS", 2),
            servers=paths.needed_servers(),
            seeds_demo=os.environ.get("GOONGDASH_ENV") != "production",
        )

    @property
    def url(self) -> str:
        return f"http://{_reachable(self.host)}:{self.port}"

    @property
    def gate_url(self) -> str:
        return f"http://{_reachable(self.gate_host)}:{self.gate_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every child: everything explicit, and this interpreter's programs first."""
        given = {
            **os.environ,
            "DATA_DIR": str(self.data_dir),
            "HOST": self.host,
            "PORT": str(self.port),
            "GATE_HOST": self.gate_host,
            "GATE_PORT": str(self.gate_port),
            "WEB_WORKERS": str(self.n_web_workers),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.data_dir),
        }
        if "postgres" in self.servers:
            given["DATABASE_URL"] = paths.database_url(self.data_dir)
        if "redis" in self.servers:
            given["REDIS_URL"] = paths.redis_url(self.data_dir)
        return given


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m goongdash.run", description=__doc__)
    parser.add_argument("--root", type=Path, default=paths.BASE_DIR, help="the folder of Procfile and manage.py")
    root = parser.parse_args().root.resolve()
    try:
        with _signals_as_stopped():
            run(Plan.from_environment(root))
    except Stopped:
        _say("Stopped.")
        return 0
    except (RunError, EmbeddedServerError, ProcfileError) as error:
        _say(str(error))
        return 1


def run(plan: Plan) -> NoReturn:
    """Run until stopped. Ends by `Stopped`, or by an error; either way nothing that it started is left."""
    with locks.run_lock(plan.data_dir) as lock:
        if not lock.try_exclusive():
            raise RunError(_already_running(plan.data_dir))
        locks.write_run_info(lock, locks.RunInfo(os.getpid(), plan.url, list(plan.servers)))
        _end_leftovers(plan)
        _check_ports(plan)
        folders.prepare(plan.data_dir)
        with _keeping_servers(plan) as let_others_join:
            try:
                _serve(plan, let_others_join)
            finally:
                _ignore_signals()
                _end_leftovers(plan)


def _keeping_servers(plan: Plan) -> AbstractContextManager[Callable[[], None]]:
    if not plan.servers:
        return contextlib.nullcontext(lambda: None)
    return keeping_servers(plan.data_dir, on_wait=_say_waiting)


def _serve(plan: Plan, let_others_join: Callable[[], None]) -> NoReturn:
    supervisord = _start_supervisord(plan)
    try:
        _wait(supervisord, [_answering(plan, name) for name in plan.servers])
        let_others_join()
        _say("Bringing the database up to date …")
        _manage(plan, "migrate", "--no-input", "--verbosity", "0")
        demo = _seed_demo(plan) if plan.seeds_demo else None
        supervisord.start_group(PROGRAM_GROUP)
        _wait(supervisord, [_healthy(f"{plan.url}/healthz"), _healthy(f"{plan.gate_url}/_gate/healthz")])
        _say(_banner(plan, demo))
        _watch(supervisord)
    finally:
        _ignore_signals()
        _say("Stopping …")
        supervisord.stop()


def _start_supervisord(plan: Plan) -> Supervisord:
    procfile = read_procfile((plan.root / "Procfile").read_text())
    variables = plan.environment
    commands = {
        name: expand(command, variables)
        for name, command in procfile.items()
        if name not in SERVERS or name in plan.servers
    }
    output = Output([*commands, OWN_NAME])
    supervision = Supervision(
        root=plan.root,
        pid_file=plan.data_dir / "supervisord.pid",
        log_file=plan.data_dir / "log" / "supervisord.log",
        socket=paths.supervisor_socket(plan.data_dir),
        password=secrets.token_urlsafe(),
        output_paths=output.paths,
        n_processes={"gate": plan.n_gates},
        user="root" if os.geteuid() == 0 else None,
    )
    supervisord = Supervisord.start(
        commands=commands,
        supervision=supervision,
        output=output,
        config_file=plan.data_dir / "supervisord.conf",
        environment=variables,
    )
    if not supervisord.wait_answering(READY_TIMEOUT_S):
        supervisord.stop()
        raise RunError(f"supervisord does not start; see {supervision.log_file}.")
    return supervisord


@dataclass(frozen=True, slots=True)
class _Condition:
    """Something to wait for, and what to say when it does not come."""

    holds: Callable[[], bool]
    failure: str


def _answering(plan: Plan, name: str) -> _Condition:
    (server,) = servers_named([name])
    return _Condition(
        lambda: server.is_ready(plan.data_dir), f"{name} does not answer; see {server.log(plan.data_dir)}."
    )


def _healthy(url: str) -> _Condition:
    return _Condition(lambda: _status(url) == 200, f"{url} does not answer 200; the lines above may say why.")


def _wait(supervisord: Supervisord, conditions: list[_Condition]) -> None:
    """Wait for all, in turn. Raises `RunError` when time is up, or a program is given up."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    for condition in conditions:
        while not condition.holds():
            if failed := supervisord.failed():
                raise RunError(f"{', '.join(failed)} does not start. {condition.failure}")
            if not supervisord.is_alive or time.monotonic() > deadline:
                raise RunError(condition.failure)
            time.sleep(0.1)


def _watch(supervisord: Supervisord) -> NoReturn:
    """Tell of programs that keep dying, and have them tried again, for as long as supervisord lives."""
    leaders: set[int] = set()
    while supervisord.is_alive:
        leaders = _bury(leaders, set(supervisord.pids().values()))
        for name in supervisord.failed():
            _say(f"{name} keeps ending at once; the lines above may say why. It is tried again.")
            supervisord.retry(name)
        time.sleep(1)
    raise RunError("supervisord has ended; everything it ran is stopped.")


def _bury(leaders: set[int], alive: set[int]) -> set[int]:
    """Kill what the programs that ended since the last look have left of their process groups.

    granian's workers, for one, go on serving beside the new ones when their parent is killed. Supervisord makes
    every program the leader of a group, and no pid is given anew while a group of that number is there.
    """
    if not alive:  # Supervisord did not answer, which says nothing of its programs.
        return leaders
    for leader in leaders - alive:
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
    return alive


def _manage(plan: Plan, *words: str) -> str:
    """What a management command prints. Raises `RunError` where it fails, having said why at the terminal."""
    done = subprocess.run(  # noqa: S603 — our own commands.
        [sys.executable, "manage.py", *words],
        cwd=plan.root,
        env=plan.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stdout.write(done.stdout)
        raise RunError(f"manage.py {words[0]} failed.")
    return done.stdout


def _seed_demo(plan: Plan) -> dict[str, Any]:
    _say("Preparing the demo account …")
    printed = _manage(plan, "seed_demo", "--json")
    try:
        return cast(dict[str, Any], json.loads(printed))
    except ValueError:
        raise RunError(f"manage.py seed_demo --json printed no JSON: {printed[:200]!r}") from None


def _banner(plan: Plan, demo: dict[str, Any] | None) -> str:
    lines = [
        "",
        "Goongdash is ready.",
        "",
        f"  Dashboard   {plan.url}",
        f"  Operators   {plan.url}/admin/",
        f"  Gate        {plan.gate_url}",
    ]
    if demo is not None:
        lines += [
            f"  Demo login  {demo['email']}  {demo['password']}",
            "",
            "  Try a key:",
            f"  curl '{plan.gate_url}/Geocode?address=Hanoi&api_key={demo['keys']['rest']}'",
        ]
    return "\n".join([*lines, "", "  Ctrl-C stops everything.", ""])


def _end_leftovers(plan: Plan) -> None:
    """End the programs of this folder's run: after one that was killed, and for certainty after our own."""
    leftovers = processes.marked(MARK, str(plan.data_dir))
    processes.stop(leftovers, signum=signal.SIGTERM, timeout_s=LEFTOVERS_TIMEOUT_S)


def _check_ports(plan: Plan) -> None:
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


def _already_running(data_dir: Path) -> str:
    info = locks.read_run_info(data_dir)
    who = f" (process {info.pid}, {info.url})" if info and info.pid else ""
    return f"{data_dir} is being run already{who}. Stop that run, or set DATA_DIR, PORT and GATE_PORT anew."


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


def _reachable(host: str) -> str:
    """An address to call for the one listened on."""
    known = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 — read, not bound.
    return known.get(host) or (f"[{host}]" if ":" in host else host)


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise RunError(f"{variable} is {text!r}; it must be a whole number from 1 to 65535.")
    return int(text)


@contextlib.contextmanager
def _signals_as_stopped() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise Stopped

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    yield


def _ignore_signals() -> None:
    """While stopping: a second Ctrl-C must not leave half of it running."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)


def _say_waiting() -> None:
    _say("Another command uses this folder's servers; waiting for it to end …")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # The terminal may be gone; stopping goes on.
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
