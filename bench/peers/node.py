"""fastify and ioredis, one process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machine import program
from bench.stand import Contender, Serving, Stand, serving
from tests.processes import free_port

HERE = Path(__file__).parent


@contextmanager
def _start(stand: Stand) -> Iterator[Serving]:
    _install()
    port = free_port()
    environment = {
        "PORT": str(port),
        "KEYS_FILE": str(stand.keys_file()),
        "SCRIPT_FILE": str(HERE / "count_one.lua"),
        "REDIS_SOCKET": str(stand.redis_socket),
        "NODE_ENV": "production",
    }
    with serving([program("node"), str(HERE / "fastify" / "server.js")], port, environment=environment) as found:
        yield found


def _install() -> None:
    """What the lock file names, unless it is there."""
    folder = HERE / "fastify"
    stamp = folder / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        command = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


NODE_PEERS = [
    Contender(
        "fastify",
        "fastify and ioredis (calls of a tick in one write), one Redis script for each request: exact sliding rate, "
        "day, month, money, all or nothing, and one stream entry for each request. Keys are read once, at the start.",
        _start,
        streams=("peer:fastify",),
    ),
]
