"""PostgreSQL and Redis for a measurement: the project's own, in a folder that goes with it, on the load's core."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.cores import LOAD_CORE, pin
from goongdash.embedded import processes
from goongdash.embedded.postgres import SERVER as POSTGRES
from goongdash.embedded.redis import SERVER as REDIS
from goongdash.embedded.servers import using_servers

# What the caller's shell names is somebody's data.
_NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "USAGE_SHARDS", "KEY_CACHE_TTL_S", "TRUSTED_PROXIES")


@contextmanager
def measuring_servers(*, has_own_store: bool = True, is_pinned: bool = True) -> Iterator[Path]:
    """Both are up, migrated and, where `is_pinned`, held to one core, and Django is set up; yields the data folder.

    Without a store of its own, one is to be started on `apart.sock` in that folder.
    """
    with tempfile.TemporaryDirectory(prefix="goongdash-bench-", ignore_cleanup_errors=True) as folder:
        for name in _NOT_INHERITED:
            os.environ.pop(name, None)
        os.environ.update(
            DATA_DIR=folder, DJANGO_SETTINGS_MODULE="goongdash.settings", LOG_FORMAT="text", LOG_LEVEL="WARNING"
        )
        if not has_own_store:
            os.environ["REDIS_URL"] = f"unix://{folder}/apart.sock?db=0"
        with using_servers(Path(folder)):
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            if is_pinned:
                pin(server_processes(Path(folder)), LOAD_CORE)
            yield Path(folder)


def server_processes(data_dir: Path) -> list[psutil.Process]:
    return redis_processes(data_dir) + processes.serving(POSTGRES.program, POSTGRES.folder(data_dir))


def redis_processes(data_dir: Path) -> list[psutil.Process]:
    return processes.serving(REDIS.program, REDIS.folder(data_dir))


def set_appendfsync(policy: str) -> None:
    """`always` or `everysec`, from now on."""
    from stats.stream import redis_client

    redis_client().config_set("appendfsync", policy)


def tidy_store(*streams: str) -> None:
    """What one run left must not slow the next: stores the events, drops others' `streams`, rewrites the log."""
    from stats.ingest import ingest_all
    from stats.stream import redis_client

    ingest_all()
    client = redis_client()
    if streams:
        client.delete(*streams)
    client.bgrewriteaof()
    while client.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.02)


def let_nothing_rewrite() -> None:
    """The log is rewritten between the runs, and not in one of them."""
    from stats.stream import redis_client

    redis_client().config_set("auto-aof-rewrite-percentage", 0)
