"""The signals that stop a run, as an exception that nobody catches on the way."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP: not an error, and nobody's to catch on the way."""


@contextlib.contextmanager
def signals_as_stopped() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise Stopped

    for signum in STOPPING:
        signal.signal(signum, stop)
    yield


def ignore_signals() -> None:
    """While stopping: a second Ctrl-C must not leave half of it running."""
    for signum in STOPPING:
        signal.signal(signum, signal.SIG_IGN)
