"""The two that a Python engineer would reach for, one worker each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from bench.stand import Contender, Serving, Stand, serving
from tests.processes import ROOT, free_port

DRF_DATABASE = "drf"


@contextmanager
def _fastapi(stand: Stand) -> Iterator[Serving]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.peers.fastapi_app:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    environment = {"KEYS_FILE": str(stand.keys_file()), "REDIS_SOCKET": str(stand.redis_socket)}
    with serving(command, port, environment=environment) as found:
        yield found


@contextmanager
def _drf(stand: Stand) -> Iterator[Serving]:
    port = free_port()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DRF_DATABASE}")
    database_url = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{DRF_DATABASE}"))
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "bench.peers.drf.settings",
    }
    load = [sys.executable, "-m", "bench.peers.drf.load", str(stand.keys_file())]
    subprocess.run(load, cwd=ROOT, env={**os.environ, **environment}, check=True)
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1"]
    command += ["--blocking-threads", "4", "--no-ws", "--log-level", "warning", "bench.peers.drf.wsgi:application"]
    with serving(command, port, environment=environment) as found:
        yield found


PYTHON_PEERS = [
    Contender(
        "fastapi",
        "FastAPI on uvicorn (uvloop, httptools) with `limits` in Redis: moving window a second, fixed windows a day "
        "and a month, one stream entry, each a call of its own and not all or nothing; no money. Keys in memory.",
        _fastapi,
        streams=("peer:fastapi",),
    ),
    Contender(
        "drf",
        "Django REST framework on granian, djangorestframework-api-key (one query in PostgreSQL for each request), "
        "throttles in Redis for a second and a day (read, changed and written back, so that two at once may both "
        "pass), one stream entry; no month, no money.",
        _drf,
        text_of=lambda place, text: f"{place:08d}.{text}",
        streams=("peer:drf",),
    ),
]
