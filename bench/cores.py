"""Which core is measured and which measures: the server has one to itself, its load and its store share another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

import psutil

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = _CORES[0], _CORES[-1]


def two_cores_or_exit() -> None:
    """Ends the program where there is only one core: the load would take from what is measured."""
    if SERVER_CORE == LOAD_CORE:
        raise SystemExit("Two cores are needed: one for the server, one for its load and its store.")


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """`command` such that it and all that it starts run on `core` only."""
    return ["taskset", "--cpu-list", str(core), *command]


def pin(processes: Iterable[psutil.Process], core: int) -> None:
    """Moves what runs already to `core`, every thread of it."""
    for process in processes:
        for thread in process.threads():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread.id, {core})
