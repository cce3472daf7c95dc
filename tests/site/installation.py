"""Starts `make run`'s program in a folder of its own, asks it things, kills parts of it, and stops it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from goongdash.embedded import paths, processes
from goongdash.embedded.postgres import SERVER as POSTGRES
from goongdash.embedded.redis import SERVER as REDIS
from goongdash.plan import MARK
from tests.processes import ROOT, free_port, stop

READY_TIMEOUT_S = 120
# What the session's other tests run on is not this installation's.
_NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "DJANGO_SETTINGS_MODULE")
SERVERS = {server.name: server for server in (POSTGRES, REDIS)}
# What tells a program's processes by their command line.
WORDS = {
    "gate": ("-m", "gate"),
    "ingest": ("ingest_usage",),
    "worker": ("celery", "worker"),
    "beat": ("celery", "beat"),
}


class Installation:
    """One installation. Its data folder is short and in /tmp, so that PostgreSQL's own user can get in."""

    def __init__(self, **variables: str) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="goongdash-site-"))
        self.port, self.gate_port = free_port(), free_port()
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        self.environment = {
            **inherited,
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "GATE_PORT": str(self.gate_port),
            "TRUSTED_PROXIES": "127.0.0.1",
            "LOG_FORMAT": "json",
            **variables,
        }
        self.log = self.data_dir / "run.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gate_url(self) -> str:
        return f"http://127.0.0.1:{self.gate_port}"

    def start(self) -> None:
        """Returns when the ready banner is out."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "goongdash.run"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_for(lambda: "Goongdash is ready." in self.log.read_text(), READY_TIMEOUT_S)

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, timeout_s=60)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A management command beside the run, as an operator would give it."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def command_json(self, *words: str) -> Any:
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(paths.database_url(self.data_dir)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def programs(self, *words: str) -> list[psutil.Process]:
        """The processes of this run whose command line holds all of `words`."""
        found = []
        for process in processes.marked(MARK, str(self.data_dir)):
            try:
                line = process.cmdline()
            except psutil.NoSuchProcess:
                continue
            if all(any(word in part for part in line) for word in words):
                found.append(process)
        return found

    def kill(self, name: str) -> None:
        """`kill -9` for every process of the program with this name in the Procfile; there must be one."""
        victims = self.servers(name) if name in SERVERS else self.programs(*WORDS[name])
        assert victims, f"{name} does not run"
        for victim in victims:
            victim.kill()

    def servers(self, name: str) -> list[psutil.Process]:
        """Found by their folder: Redis writes its title over its environment."""
        return processes.serving(SERVERS[name].program, SERVERS[name].folder(self.data_dir))

    def gate_is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.gate_url}/_gate/healthz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def wait_for(self, holds: Callable[[], bool], timeout_s: float = 30) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"It did not come to pass. The log ends:\n{self.log.read_text()[-4_000:]}")
            time.sleep(0.1)
