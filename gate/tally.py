"""Shares the metrics of the gate processes of one machine, through a file of each.

Every process writes its own numbers each second and holds a lock while it lives; whoever is asked for metrics
adds all files up. What a dead process counted stays, as counters must never fall, until no gate is left.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gate.metrics import Metrics

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 1.0


class Tally:
    """This process's file among those of its siblings. Raises OSError where the folder cannot be written."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._metrics = metrics
        with _alone(folder):
            self._clear()
            self._path = folder / f"{os.getpid()}-{os.urandom(4).hex()}.json"
            # Held for as long as this process lives, however it ends.
            self._lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self.write()

    async def keep_written(self, update: Callable[[], None]) -> None:
        """Runs until cancelled; `update` sets the gauges before each writing."""
        while True:
            update()
            self.write()
            await asyncio.sleep(WRITE_EVERY_S)

    def write(self) -> None:
        """Puts this process's numbers where the others find them, whole or not at all."""
        new = self._path.with_suffix(".new")
        try:
            new.write_text(json.dumps(self._metrics.as_data()))
            new.replace(self._path)
        except OSError as error:
            logger.error("metrics_not_written", extra={"error": str(error)})

    def end(self) -> None:
        """Leaves the numbers behind; from now on they are those of a process that is gone."""
        self.write()
        os.close(self._lock)

    def total(self) -> Metrics:
        """The numbers of all processes: this one's as they are now, the others' as they were a second ago."""
        total = Metrics()
        total.add_data(self._metrics.as_data(), is_alive=True)
        n_alive = 1
        for path in self._others():
            is_alive = _is_held(path)
            try:
                total.add_data(json.loads(path.read_text()), is_alive=is_alive)
            except (OSError, ValueError, KeyError, TypeError) as error:
                logger.error("metrics_not_read", extra={"file": path.name, "error": str(error)})
            n_alive += is_alive
        total.gauges["processes"] = n_alive
        return total

    def _others(self) -> list[Path]:
        return [path for path in self._folder.glob("*.json") if path != self._path]

    def _clear(self) -> None:
        """The first gate begins anew."""
        if not any(map(_is_held, self._folder.glob("*.json"))):
            for path in (*self._folder.glob("*.json"), *self._folder.glob("*-*.lock")):
                path.unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    """Whether the process whose numbers these are is alive."""
    try:
        with path.with_suffix(".lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
