"""Usage events on this machine's disk, for as long as the store is away: durable before they are answered.

Each gate process appends to a file of its own. What cannot be written is refused (`SpoolUnavailable`), said aloud
once in a while and counted at every time, never dropped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gate.spool_files import SpoolFile, files_of, folder_bytes
from gate.spool_frames import Frame, pack_frame

logger = logging.getLogger(__name__)

SAID_EVERY_S = 10.0
# After a failure the disk is left alone for a moment; until then every batch is refused.
PAUSE_S = 1.0


class SpoolUnavailable(Exception):
    """The events could not be written, and are not spooled; `args[0]` says why."""


class Spool:
    """One process's part of the folder. `n_failures` counts batches that could not be written.

    `n_waiting` events and `n_bytes` are in files that this process holds, its own and adopted ones.
    """

    def __init__(
        self, folder: Path, *, prefix: str, max_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.n_failures = 0
        self._folder = folder
        self._prefix = prefix
        self._max_bytes = max_bytes
        self._clock = clock
        self._active: SpoolFile | None = None
        self._sealed: list[SpoolFile] = []
        self._said_at: float | None = None
        self._failed_at: float | None = None

    @property
    def n_waiting(self) -> int:
        return sum(file.n_events for file in self._held)

    @property
    def n_bytes(self) -> int:
        return sum(file.size for file in self._held)

    def append(self, frame: Frame) -> None:
        """Returns when the batch is on the disk; one write and one fsync. Raises SpoolUnavailable."""
        data = pack_frame(frame)
        if self._failed_at is not None and self._clock() - self._failed_at < PAUSE_S:
            self._fail("it has just failed")
        try:
            active = self._writable(len(data))
            active.append(data)
        except OSError as error:
            self._failed_at = self._clock()
            if self._active is not None and self._active.is_broken:
                self._seal()
            self._fail(f"{type(error).__name__}: {error}")
        self._failed_at = None
        active.n_events += len(frame.lines)

    def check(self) -> None:
        """Says at the start, and not only in an outage, that nothing can be written. Raises SpoolUnavailable."""
        try:
            self._writable(0)
        except OSError as error:
            self._fail(f"{type(error).__name__}: {error}")
        self._seal()

    def take(self) -> list[SpoolFile]:
        """All files that wait to be replayed: this process's own, sealed, and those of dead ones, adopted."""
        self._seal()
        held = {file.path for file in self._sealed}
        for path in files_of(self._folder, self._prefix):
            if path not in held and (file := SpoolFile.adopt(path)) is not None:
                logger.warning("spool_adopted", extra={"path": str(path), "n_events": file.n_events})
                self._sealed.append(file)
        return list(self._sealed)

    def done(self, file: SpoolFile, *, is_damaged: bool) -> None:
        """All that can be read of `file` has been replayed: it goes, or is kept for a person to look at.

        Where the disk does not let it go it stays, and is found and told again: the store knows it.
        """
        self._sealed.remove(file)
        try:
            if is_damaged:
                logger.error("spool_damaged", extra={"path": str(file.put_aside())})
            else:
                file.remove()
        except OSError as error:
            logger.error("spool_not_removed", extra={"path": str(file.path), "error": str(error)})

    def close(self) -> None:
        """Leaves what waits to the next gate."""
        for file in self._held:
            file.close()
        self._active, self._sealed = None, []

    @property
    def _held(self) -> list[SpoolFile]:
        return [*self._sealed, *([self._active] if self._active else [])]

    def _writable(self, n_bytes: int) -> SpoolFile:
        if self._active is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        n_there = folder_bytes(self._folder)
        if n_there + n_bytes > self._max_bytes:
            self._fail(f"{n_there} bytes wait already, and GATE_SPOOL_MAX_BYTES is {self._max_bytes}")
        if self._active is None:
            self._active = SpoolFile.create(self._folder, self._prefix)
        return self._active

    def _seal(self) -> None:
        """Ends the active file: the next batch begins another one. One with nothing in it is not kept."""
        active, self._active = self._active, None
        if active is None:
            return
        if active.size:
            self._sealed.append(active)
            return
        with suppress(OSError):
            # One that stays is empty, and the next gate that looks clears it away.
            active.remove()

    def _fail(self, why: str) -> NoReturn:
        self.n_failures += 1
        now = self._clock()
        if self._said_at is None or now - self._said_at >= SAID_EVERY_S:
            self._said_at = now
            logger.error("spool_failed", extra={"path": str(self._folder), "error": why, "n_failures": self.n_failures})
        raise SpoolUnavailable(why)
