"""How much processor time processes used, and how much memory they hold: the server's whole tree, and the store's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import psutil


def tree(roots: Sequence[psutil.Process]) -> list[psutil.Process]:
    """The processes and all their descendants, each once."""
    found: dict[int, psutil.Process] = {}
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            found |= {process.pid: process for process in (root, *root.children(recursive=True))}
    return list(found.values())


def cpu_seconds(roots: Sequence[psutil.Process]) -> float:
    """User and system time so far, of every thread; the kernel counts it in hundredths of a second."""
    seconds = 0.0
    for process in tree(roots):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def rss_bytes(roots: Sequence[psutil.Process]) -> int:
    """Resident memory; what two processes share is counted in both."""
    return sum(process.memory_info().rss for process in tree(roots))
