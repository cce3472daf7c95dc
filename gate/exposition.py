"""Metrics as Prometheus reads them (text format 0.0.4). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gate.metrics import Histogram, Metrics
from stats.outcomes import OUTCOMES

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
PREFIX = "goongdash_gate"
_LOOKUPS = {
    "key_lookups": "Looks into the memory of keys.",
    "head_lookups": "Looks into the memory of request heads.",
}
_GAUGES = {
    "processes": "Gate processes.",
    "connections": "Open connections.",
    "keys": "Keys remembered.",
    "store_ready": "Processes that reach Redis.",
    "spool_events": "Usage events that wait on disk.",
    "spool_bytes": "Bytes of usage events that wait on disk.",
    "spool_failures": "Batches of usage events that could not be kept on disk, and were refused.",
}


def expose(metrics: Metrics) -> bytes:
    """All metrics, each with its help and type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(metrics))
    return generate_latest(registry)


class _Once(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        decisions = CounterMetricFamily(f"{PREFIX}_decisions", "Requests by outcome.", labels=["outcome"])
        for outcome, facts in OUTCOMES.items():
            decisions.add_metric([outcome], metrics.outcomes[facts.number])
        yield decisions
        yield _histogram("decision_seconds", "From a request to its verdict, in seconds.", metrics.decision_seconds)
        yield _histogram("batch_requests", "Requests in one script call.", metrics.batch_requests)
        hits = {
            "key_lookups": (metrics.n_key_hits, metrics.n_key_misses),
            "head_lookups": (metrics.n_head_hits, metrics.n_head_misses),
        }
        for name, text in _LOOKUPS.items():
            lookups = CounterMetricFamily(f"{PREFIX}_{name}", text, labels=["result"])
            for result, n in zip(("hit", "miss"), hits[name], strict=True):
                lookups.add_metric([result], n)
            yield lookups
        yield CounterMetricFamily(f"{PREFIX}_bad_requests", "Requests that were no HTTP.", value=metrics.n_bad_requests)
        yield CounterMetricFamily(
            f"{PREFIX}_store_failures", "Script calls that Redis did not answer.", value=metrics.n_store_failures
        )
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"{PREFIX}_{name}", text, value=metrics.gauges.get(name, 0))


def _histogram(name: str, text: str, histogram: Histogram) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"{PREFIX}_{name}", text)
    below, buckets = 0, []
    for bound, n in zip([*map(str, histogram.bounds), "+Inf"], histogram.counts, strict=True):
        below += n
        buckets.append((bound, below))
    family.add_metric([], buckets, sum_value=histogram.total)
    return family
