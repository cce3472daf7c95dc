"""The output of many programs on one terminal: whole lines, each with its program's name before it."""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import threading
from collections.abc import Iterable

_LONGEST_LINE_BYTES = 65_536


class Output:
    """A pipe for each program, and one thread that copies from all of them.

    The writing ends are handed to supervisord, which opens them by path. The thread ends when all are closed.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._pipes = {name: os.pipe() for name in names}
        self._width = max(map(len, self._pipes))
        self._thread = threading.Thread(target=self._copy, name="output", daemon=True)

    @property
    def write_fds(self) -> list[int]:
        return [write_fd for _, write_fd in self._pipes.values()]

    @property
    def paths(self) -> dict[str, str]:
        return {name: f"/dev/fd/{write_fd}" for name, (_, write_fd) in self._pipes.items()}

    def write_fd(self, name: str) -> int:
        return self._pipes[name][1]

    def start(self) -> None:
        """Begin to copy, when the process that writes has got the writing ends: they are closed here."""
        for fd in self.write_fds:
            os.close(fd)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _copy(self) -> None:
        pending = dict.fromkeys(self._pipes, b"")
        with selectors.DefaultSelector() as selector:
            for name, (read_fd, _) in self._pipes.items():
                selector.register(read_fd, selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _ in selector.select():
                    chunk = os.read(key.fd, 65_536)
                    pending[key.data] = self._print_lines(key.data, pending[key.data] + chunk, at_end=not chunk)
                    if not chunk:
                        selector.unregister(key.fd)
                        os.close(key.fd)

    def _print_lines(self, name: str, data: bytes, *, at_end: bool) -> bytes:
        """Print the whole lines of `data`; what remains begins the next one."""
        *lines, rest = data.split(b"\n")
        if rest and (at_end or len(rest) > _LONGEST_LINE_BYTES):
            lines, rest = [*lines, rest], b""
        text = "".join(f"{name:<{self._width}} | {line.decode(errors='replace')}\n" for line in lines)
        with contextlib.suppress(OSError, ValueError):  # Nobody reads us any more; the programs go on.
            sys.stdout.write(text)
            sys.stdout.flush()
        return rest
