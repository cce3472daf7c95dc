"""Where contenders are measured, one like the other: the same keys, the same store, the same core."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from bench.cores import SERVER_CORE, pinned
from bench.keys import BenchKey
from bench.workload import Encode, Question, as_auth_request, shares
from goongdash.embedded import paths
from tests.processes import ROOT, stop

START_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers on `port`, and the processes that it is made of."""

    port: int
    processes: tuple[psutil.Process, ...]


@dataclass(slots=True)
class Stand:
    """What every contender is given. `folder` is for its own files, `figures` for what is found on the way.

    `gate` is the one that several contenders share, while it runs.
    """

    data_dir: Path
    folder: Path
    keys: Sequence[BenchKey]
    questions: Sequence[Question]
    figures: dict[str, float] = field(default_factory=dict)
    gate: Serving | None = None

    @property
    def redis_socket(self) -> Path:
        return paths.redis_socket(self.data_dir)

    def keys_file(self) -> Path:
        """The keys in JSON, for peers in other languages."""
        path = self.folder / "keys.json"
        if not path.exists():
            path.write_text(json.dumps([asdict(key) for key in self.keys]))
        return path


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that is measured. `does` says in a sentence what work it does and does not do.

    `expected` is the right mix of answers, None for that of the questions; `text_of` makes the key that it is
    sent of one of ours; `streams` are what it writes to the store and nobody reads.
    """

    name: str
    does: str
    start: Callable[[Stand], AbstractContextManager[Serving]]
    encode: Encode = as_auth_request
    text_of: Callable[[int, str], str] = field(default=lambda _, text: text)
    expected: Mapping[int, float] | None = None
    appendfsync: str = "everysec"
    streams: tuple[str, ...] = ()

    def due_shares(self, questions: Sequence[Question]) -> Mapping[int, float]:
        return shares(questions) if self.expected is None else self.expected

    def requests(self, stand: Stand) -> list[bytes]:
        """Every question as this contender is asked it."""
        keys = stand.keys
        return [
            self.encode(question, self.text_of(question.key, keys[question.key].text)) for question in stand.questions
        ]


@contextmanager
def serving(
    command: Sequence[str], port: int, *, core: int = SERVER_CORE, environment: Mapping[str, str] | None = None
) -> Iterator[Serving]:
    """Runs `command` on `core` until left; entered when `port` can be connected to."""
    process = subprocess.Popen(
        pinned(core, command),
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_for_port(port, process, command)
        yield Serving(port, (psutil.Process(process.pid),))
    finally:
        stop(process)


def _wait_for_port(port: int, process: subprocess.Popen[bytes], command: Sequence[str]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended with {process.returncode} before it served.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{command[0]} does not serve port {port}.")
