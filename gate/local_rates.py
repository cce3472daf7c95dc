"""Rates in this process's memory, as the counting script keeps them: a log of the last passes. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque

MAX_CALLERS = 65_536
MAX_PASSES = 1_000_000


class Rates:
    """By who shares a rate, as the script is told it. Exact in every window.

    Bounded: of too many callers the longest quiet are forgotten, and begin anew.
    """

    def __init__(self) -> None:
        self._logs: OrderedDict[bytes, deque[int]] = OrderedDict()
        self._n_passes = 0

    def recent(self, caller: bytes, now_us: int, window_us: int) -> deque[int]:
        """When the caller has passed in the window that ends now, oldest first."""
        log = self._logs.get(caller)
        if log is None:
            return deque()
        while log and log[0] + window_us <= now_us:
            log.popleft()
            self._n_passes -= 1
        return log

    def add(self, caller: bytes, now_us: int) -> None:
        log = self._logs.pop(caller, None) or deque()
        log.append(now_us)
        self._n_passes += 1
        # Put in anew, so that the first of all is the one who has been quiet for longest.
        self._logs[caller] = log
        while len(self._logs) > MAX_CALLERS or self._n_passes > MAX_PASSES:
            self._n_passes -= len(self._logs.popitem(last=False)[1])

    def take_back(self, caller: bytes) -> None:
        """Forgets the caller's last pass."""
        log = self._logs.get(caller)
        if log:
            log.pop()
            self._n_passes -= 1


def wait_us(passes: deque[int], limit: int, window_us: int, now_us: int) -> int:
    """Microseconds until one more may pass; 0: now."""
    if len(passes) < limit:
        return 0
    # Where the limit was lowered there may be more passes than it admits.
    return passes[len(passes) - limit] + window_us - now_us
