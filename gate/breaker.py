"""Keeps requests away from a store that fails, so that only the first ones wait for it in vain. Pure."""

from __future__ import annotations

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0
# A store that has held for this long is trusted as it was before it failed.
TRUSTED_AFTER_S = 10.0


class Breaker:
    """Open from a failure until a probe succeeds; the pauses between probes double while failures go on.

    Instants are seconds of a monotonic clock.
    """

    __slots__ = ("_closed_at", "_next_probe_at", "_pause_s", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._pause_s = FIRST_PAUSE_S
        self._next_probe_at = 0.0
        self._closed_at = 0.0

    def failed(self, now: float) -> bool:
        """A call, or a probe while open, has failed. Whether this opened it."""
        opens = not self.is_open
        if opens and now - self._closed_at > TRUSTED_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        if opens or now >= self._next_probe_at:
            # Calls that were under way with the first to fail tell nothing new.
            self._next_probe_at = now + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self.is_open = True
        return opens

    def may_probe(self, now: float) -> bool:
        return self.is_open and now >= self._next_probe_at

    def probe_succeeded(self, now: float) -> None:
        self.is_open = False
        self._closed_at = now
