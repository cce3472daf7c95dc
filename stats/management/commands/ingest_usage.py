"""The ingest process: stores usage events as they come, until it is told to stop."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection

from goongdash.commands import CommandParser, ReportingCommand
from stats.ingest import ingest_all, wait_for_events

logger = logging.getLogger(__name__)

RETRY_S = 1.0
# Of a batch of events nothing is garbage until it is stored, and looking for some takes a third of the time.
_GARBAGE_AFTER = 500_000
# Two threads read and write. The usual 5 ms would have the writer wait that long after each block it has sent.
_SWITCH_AFTER_S = 0.000_3


def interpreter_tune() -> None:
    """Sets the interpreter of a process that does nothing but ingest."""
    gc.set_threshold(_GARBAGE_AFTER)
    sys.setswitchinterval(_SWITCH_AFTER_S)


class Command(ReportingCommand):
    help = "Move usage events from the stream into usage records, until SIGTERM (or once, with --once)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Store what waits now, and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            n_entries = ingest_all()
            self.report({"entries": n_entries}, f"{n_entries} stream entries stored.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        interpreter_tune()
        logger.info("ingest_ready", extra={"shards": settings.USAGE_SHARDS})
        while not stop.is_set():
            self._run_once(stop)
        logger.info("ingest_stopped")

    def _run_once(self, stop: threading.Event) -> None:
        try:
            ingest_all()
            wait_for_events()
        except (redis.RedisError, Error) as error:
            logger.warning("ingest_waits", extra={"error": str(error)})
            connection.close()
            stop.wait(RETRY_S)
