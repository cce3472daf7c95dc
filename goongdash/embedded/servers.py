"""Having the embedded servers up while something uses them, counted across processes.

Every user holds a shared lock. Whoever leaves and can hold it alone is the last, and stops the servers.
A live `make run` is a user for its whole life, so commands beside it use its servers.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from goongdash.embedded import locks, paths
from goongdash.embedded.errors import NotReadyError
from goongdash.embedded.server import Server

START_TIMEOUT_S = 60

# Held so that a server which outlives this process's use of it is not reported as a forgotten child.
_started: list[subprocess.Popen[bytes]] = []


@contextmanager
def using_servers(data_dir: Path) -> Iterator[None]:
    """The servers that the environment does not name are up inside; the last user of all stops them.

    SIGTERM inside ends the process by `SystemExit(143)`, so that it leaves in order.
    Raises `EmbeddedServerError` where they do not start.
    """
    names = paths.needed_servers()
    if not names:
        yield
        return
    servers = servers_named(names)
    with locks.servers_lock(data_dir) as lock, _sigterm_as_exit():
        try:
            with locks.starting_or_stopping(data_dir):
                lock.shared()
                start_missing(servers, data_dir)
            yield
        finally:
            with locks.starting_or_stopping(data_dir):
                if lock.try_exclusive():
                    stop_all(data_dir)


def servers_named(names: Iterable[str]) -> list[Server]:
    """Imported late: an installation with servers of its own has no use for the wheels behind these."""
    from goongdash.embedded import postgres, redis

    known = {server.name: server for server in (postgres.SERVER, redis.SERVER)}
    return [known[name] for name in names]


@contextmanager
def keeping_servers(data_dir: Path, *, on_wait: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """For a run, which has servers of its own: entered when nobody else uses any, and left with none running.

    Yields what the run calls when its servers answer: from then on commands may join. `on_wait` is called
    once, where a command has to be waited for.
    """
    with locks.servers_lock(data_dir) as lock, ExitStack() as starting:
        # The start lock is let go between two tries: the one waited for needs it to leave.
        for attempt in itertools.count():
            starting.enter_context(locks.starting_or_stopping(data_dir))
            if lock.try_exclusive():
                break
            starting.close()
            if attempt == 0:
                on_wait()
            time.sleep(0.2)
        stop_all(data_dir)

        def let_others_join() -> None:
            lock.shared()
            starting.close()

        try:
            yield let_others_join
        finally:
            stop_all(data_dir)


def start_missing(servers: list[Server], data_dir: Path) -> None:
    """Start those that do not answer, at once, and wait for all. A live run's servers are only waited for.

    Raises `NotReadyError`, with the end of the log, where one ends at once or does not answer in time.
    """
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        _start_and_wait(servers, data_dir, started)
    except BaseException:
        for server in servers:
            if server.name in started:
                _abandon(started[server.name], server)
        raise


def _start_and_wait(servers: list[Server], data_dir: Path, started: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while missing := [server for server in servers if not server.is_ready(data_dir)]:
        run = locks.read_run_info(data_dir)
        for server in missing:
            if server.name not in started and (run is None or server.name not in run.servers):
                started[server.name] = _start_detached(server, data_dir)
            ended = server.name in started and started[server.name].poll() is not None
            if ended or time.monotonic() > deadline:
                raise NotReadyError(f"{server.name} does not start:\n{server.log_tail(data_dir)}")
        time.sleep(0.05)


def stop_all(data_dir: Path) -> None:
    for server in servers_named(["postgres", "redis"]):
        server.stop(data_dir)
    for process in _started:
        process.poll()


def _start_detached(server: Server, data_dir: Path) -> subprocess.Popen[bytes]:
    """Start a server that survives this process and hears nothing of the Ctrl-C at its terminal."""
    server.log(data_dir).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with server.log(data_dir).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 — our own module.
            [sys.executable, "-m", "goongdash.embedded", server.name],
            cwd=paths.BASE_DIR,
            env={**os.environ, "DATA_DIR": str(data_dir)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _started.append(process)
    return process


def _abandon(process: subprocess.Popen[bytes], server: Server) -> None:
    """End what is on its way to be a server: until it is one, nobody finds it by its folder."""
    process.send_signal(server.stop_signal)
    try:
        process.wait(timeout=server.stop_timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """SIGTERM unwinds the stack, unless the program has its own handler. Only the main thread may set one."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _exit_on_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit_on_sigterm(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
