"""Finding and ending processes by what they really are: program and folder, or a mark in their environment.

Not by pid files: a pid may belong to somebody else by now, and a killed server's children have none.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic, sleep

import psutil


def serving(program: str, folder: Path) -> list[psutil.Process]:
    """The processes of `program` that work in `folder`: a server with its children, or what it left."""

    def matches(process: psutil.Process) -> bool:
        return process.cwd() == str(folder) and Path(process.exe()).name.startswith(program)

    return _find(matches)


def marked(variable: str, value: str) -> list[psutil.Process]:
    """The processes started with `variable=value` in their environment; never this one or its parents."""
    family = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}

    def matches(process: psutil.Process) -> bool:
        return process.pid not in family and process.environ().get(variable) == value

    return _find(matches)


def stop(processes: Iterable[psutil.Process], *, signum: signal.Signals, timeout_s: float) -> None:
    """Signal each as soon as its parent is none of them, wait for all, and kill what `timeout_s` leaves.

    Parents first, because a good one ends its children in order; what it leaves is signalled after it is gone.
    """
    remaining = list(processes)
    signalled: set[int] = set()
    deadline = monotonic() + timeout_s
    while (remaining := [process for process in remaining if is_alive(process)]) and monotonic() < deadline:
        pids = {process.pid for process in remaining}
        for process in remaining:
            if process.pid not in signalled and _parent_pid(process) not in pids:
                _send(process, signum)
                signalled.add(process.pid)
        sleep(0.02)
    for process in remaining:
        _send(process, signal.SIGKILL)
    wait_gone(remaining, timeout_s=10)


def wait_gone(processes: Iterable[psutil.Process], *, timeout_s: float) -> None:
    """Wait until all are gone, or the time is up."""
    deadline = monotonic() + timeout_s
    for process in processes:
        while is_alive(process) and monotonic() < deadline:
            sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    """A zombie is not: it is another's to bury, and in a container without an init nobody does."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _find(matches: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and matches(process):
                found.append(process)
        except (psutil.Error, OSError):  # It ended meanwhile, or is another user's.
            continue
    return found


def _parent_pid(process: psutil.Process) -> int | None:
    try:
        return int(process.ppid())
    except psutil.Error:
        return None


def _send(process: psutil.Process, signum: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signum)
