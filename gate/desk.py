"""What the gate says of itself: alive, ready, and its metrics."""

from __future__ import annotations

from collections.abc import Callable

from gate.exchange import Exchange
from gate.exposition import CONTENT_TYPE, expose
from gate.facts import Networks
from gate.replies import Reply
from gate.tally import Tally
from keys.ip_ranges import ip_in_ranges

LIVE_PATH, READY_PATH, HEALTH_PATH, METRICS_PATH = b"/_gate/livez", b"/_gate/readyz", b"/_gate/healthz", b"/metrics"
OWN_PATHS = frozenset((LIVE_PATH, READY_PATH, HEALTH_PATH, METRICS_PATH))


class Desk:
    """Answers on the gate's own paths. `metrics_from` are the networks that may read the metrics."""

    def __init__(self, tally: Tally, is_ready: Callable[[], bool], metrics_from: Networks) -> None:
        self._tally = tally
        self._is_ready = is_ready
        self._metrics_from = metrics_from

    def answer(self, exchange: Exchange, path: bytes) -> Reply | None:
        """The answer on one of OWN_PATHS; None where it does not exist for this caller.

        To a proxy that asks whether a request may pass, they are paths like any other.
        """
        if exchange.head.is_question:
            return None
        if path == METRICS_PATH:
            if not self._may_read_metrics(exchange):
                return None
            return Reply(200, expose(self._tally.total()), CONTENT_TYPE)
        if path == LIVE_PATH:
            return Reply(200, b'{"status": "ok"}')
        is_ready = self._is_ready()
        return Reply(200 if is_ready else 503, b'{"status": "%s"}' % (b"ok" if is_ready else b"store unavailable"))

    def _may_read_metrics(self, exchange: Exchange) -> bool:
        """Whoever comes through a proxy is no neighbour, wherever the proxy is."""
        return exchange.forwarded_for is None and ip_in_ranges(exchange.caller.ip, self._metrics_from)
