"""One spool file: made or adopted under a lock, appended to durably, removed when all in it is told.

A file belongs to the process that holds its lock; the lock ends with the process, however it ends. So what a
killed gate has left can be adopted, and what a living one writes cannot. The folder must be on a local disk.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

from gate.spool_frames import Placed, Unreadable, read_frames

SUFFIX = ".spool"
# What holds damage is kept under this name when all that could be read of it has been replayed.
DAMAGED_SUFFIX = ".damaged"


class SpoolFile:
    """`size` is where what was written ends, `told` how far it has been replayed, `n_events` how many are left.

    Errors of the file system are OSError, as they come.
    """

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path = path
        self.size = size
        self.told = 0
        self.n_events = 0
        # Set when nobody knows what the disk holds beyond `size`: nothing more may be appended.
        self.is_broken = False
        self._fd = fd

    @property
    def id(self) -> str:
        """The name by which the store remembers how far the file has been replayed."""
        return self.path.name.split(".")[-2]

    @classmethod
    def create(cls, folder: Path, prefix: str) -> SpoolFile:
        """A new, empty file of this installation (`prefix` is its Redis prefix), which survives a power cut."""
        while True:
            path = folder / f"{prefix}.{uuid4().hex}{SUFFIX}"
            fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            # Another gate may have found it before it was locked, and cleared it away as an empty one.
            if _lock(path, fd):
                sync_folder(folder)
                return cls(path, fd, 0)
            os.close(fd)

    @classmethod
    def adopt(cls, path: Path) -> SpoolFile | None:
        """The file, if nobody who lives holds it."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        if not _lock(path, fd):
            os.close(fd)
            return None
        file = cls(path, fd, os.fstat(fd).st_size)
        file.n_events = sum(len(part.frame.lines) for part in file.parts() if isinstance(part, Placed))
        return file

    def append(self, data: bytes) -> None:
        """Returns when `data` is on the disk. An OSError leaves the file as it was, or broken."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            self._cut()
            raise
        try:
            os.fsync(self._fd)
        except OSError:
            # A second fsync would succeed and mean nothing: the kernel has dropped what it could not write.
            self._cut()
            self.is_broken = True
            raise
        self.size += len(data)

    def _cut(self) -> None:
        """Takes a write that has failed out of the file again, so that it is neither replayed nor in the way."""
        try:
            os.ftruncate(self._fd, self.size)
        except OSError:
            self.is_broken = True

    def parts(self) -> Generator[Placed | Unreadable]:
        """What is in it that has not been replayed. To be closed: it holds the lock as well."""
        if not os.fstat(self._fd).st_size:
            return
        with closing(mmap.mmap(self._fd, 0, access=mmap.ACCESS_READ)) as data:
            yield from read_frames(data, self.told)

    def confirm(self, placed: Placed) -> None:
        """The store has said that this batch is in it."""
        self.told = placed.end
        self.n_events -= len(placed.frame.lines)

    def remove(self) -> None:
        """All in it is told. Removed before the lock is let go, so that nobody adopts what is done with."""
        try:
            self.path.unlink()
            sync_folder(self.path.parent)
        finally:
            self.close()

    def put_aside(self) -> Path:
        """Keeps a damaged file where no gate looks for one; returns its new path."""
        kept = self.path.with_suffix(DAMAGED_SUFFIX)
        try:
            self.path.rename(kept)
            sync_folder(self.path.parent)
        finally:
            self.close()
        return kept

    def close(self) -> None:
        """Lets the file go as it is; another gate may adopt it."""
        os.close(self._fd)


def files_of(folder: Path, prefix: str) -> list[Path]:
    """This installation's files, whoever holds them; none where there is no folder."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.name.rsplit(".", 2)[0] == prefix)


def folder_bytes(folder: Path) -> int:
    """What all files in the folder take, the damaged ones too."""
    n_bytes = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            n_bytes += path.stat().st_size
    return n_bytes


def sync_folder(folder: Path) -> None:
    """A new name in a folder is on the disk only after this."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _lock(path: Path, fd: int) -> bool:
    """Whether the lock is ours and the file is still the one of that name."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(path.stat(), os.fstat(fd))
    except (BlockingIOError, FileNotFoundError):
        return False
