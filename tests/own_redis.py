"""A Redis of a test's own, which it may stop, freeze, kill and empty: the embedded server in a folder of its own."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from goongdash.embedded import paths, processes
from goongdash.embedded.redis import SERVER
from goongdash.embedded.servers import start_missing


class OwnRedis:
    """Running from the start. Its folder is short and in /tmp, for the length of its socket's path."""

    def __init__(self) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="goongdash-redis-"))
        self.url = paths.redis_url(self.data_dir)
        self.start()

    def start(self) -> None:
        """Returns when it answers, with all that it had written."""
        start_missing([SERVER], self.data_dir)

    def stop(self) -> None:
        SERVER.stop(self.data_dir)

    def kill(self) -> None:
        """`kill -9`."""
        processes.stop(self._processes(), signum=signal.SIGKILL, timeout_s=10)

    def empty(self) -> None:
        """All that it knew is gone; it runs afterwards."""
        self.stop()
        for file in (self.data_dir / "redis").glob("*.aof"):
            file.unlink()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """`kill -STOP` until the end: it takes connections and answers nothing."""
        for process in self._processes():
            process.suspend()
        try:
            yield
        finally:
            for process in self._processes():
                process.resume()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def _processes(self) -> list[psutil.Process]:
        found = processes.serving(SERVER.program, SERVER.folder(self.data_dir))
        assert found, "Redis does not run"
        return found
