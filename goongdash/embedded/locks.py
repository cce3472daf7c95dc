"""Locks between processes: flock(2) on small files, so that the system drops them when their holder dies.

Run as `python -m goongdash.embedded.locks`, it exits 1 while a run or a command uses `DATA_DIR`.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from goongdash.embedded import paths


class FileLock:
    """One open file with an advisory lock on it. Closing it gives the lock back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def shared(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def exclusive(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def try_exclusive(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, text: str) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def read(self) -> str:
        return os.pread(self._fd, 65536, 0).decode()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who runs this `DATA_DIR`, written into the lock they hold; `servers` are the ones they started."""

    pid: int
    url: str
    servers: list[str]


def run_lock(data_dir: Path) -> FileLock:
    """Held exclusively by `make run` for its whole life."""
    return FileLock(data_dir / "run.lock")


def servers_lock(data_dir: Path) -> FileLock:
    """Shared by all who use the embedded servers; whoever can hold it alone is the last."""
    return FileLock(data_dir / "servers.lock")


@contextmanager
def starting_or_stopping(data_dir: Path) -> Iterator[None]:
    """Only one process at a time starts or stops servers, or joins or leaves their users."""
    with FileLock(data_dir / "start.lock") as lock:
        lock.exclusive()
        yield


def write_run_info(lock: FileLock, info: RunInfo) -> None:
    lock.write(json.dumps(asdict(info)))


def read_run_info(data_dir: Path) -> RunInfo | None:
    """What the live run says about itself, or None where none is running."""
    with run_lock(data_dir) as lock:
        if lock.try_exclusive():
            return None
        try:
            return RunInfo(**json.loads(lock.read()))
        except (ValueError, TypeError):  # It holds the lock, and has not written yet.
            return RunInfo(pid=0, url="", servers=[])


def main() -> int:
    data_dir = paths.data_dir()
    if not data_dir.exists():
        return 0
    with run_lock(data_dir) as run, servers_lock(data_dir) as servers:
        if run.try_exclusive() and servers.try_exclusive():
            return 0
    print(f"{data_dir} is in use: stop the run or the command that uses it first.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
