from __future__ import annotations

import re
import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from gate.desk import METRICS_PATH, Desk
from gate.exchange import Exchange
from gate.exposition import expose
from gate.facts import Caller
from gate.heads import Head
from gate.metrics import Histogram, Metrics
from gate.tally import Tally
from stats.outcomes import Outcome
from tests.factories import make_key
from tests.processes import GateProcess, running_gate


def sample(text: str, name: str) -> float:
    found = re.search(rf"^goongdash_gate_{re.escape(name)} (.+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def test_histogram_counts_a_bound_with_what_is_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value, n in ((0.5, 1), (1.0, 2), (1.5, 3), (9.0, 4)):
        histogram.observe(value, n)
    assert (histogram.counts, histogram.total) == ([3, 3, 4], 43.0)


def test_exposition_says_every_number_with_its_type() -> None:
    metrics = Metrics(n_key_hits=5, gauges={"connections": 3})
    metrics.count(Outcome.RATE_LIMIT)
    metrics.decision_seconds.observe(0.0015, 2)
    text = expose(metrics).decode()
    assert "# TYPE goongdash_gate_decision_seconds histogram" in text
    assert sample(text, 'decisions_total{outcome="rate_limit"}') == 1
    assert sample(text, 'decision_seconds_bucket{le="0.001"}') == 0
    assert sample(text, 'decision_seconds_bucket{le="0.002"}') == sample(text, "decision_seconds_count") == 2
    assert sample(text, 'key_lookups_total{result="hit"}') == 5
    assert sample(text, "connections") == 3


def test_numbers_of_the_dead_stay_but_for_what_is_of_now(tmp_path: Path) -> None:
    first, second, third = Metrics(), Metrics(), Metrics()
    dead, alive = Tally(tmp_path, first), Tally(tmp_path, second)
    first.count(Outcome.ALLOWED)
    first.gauges = {"connections": 7}
    second.gauges = {"connections": 2}
    dead.write()
    alive.write()
    asked = Tally(tmp_path, third)
    third.count(Outcome.ALLOWED)
    assert asked.total().gauges == {"connections": 9, "processes": 3}
    dead.end()
    assert asked.total().outcomes[0] == 2
    assert asked.total().gauges == {"connections": 2, "processes": 2}


def test_first_gate_begins_anew(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.count(Outcome.ALLOWED)
    earlier = Tally(tmp_path, metrics)
    earlier.end()
    assert sum(Tally(tmp_path, Metrics()).total().outcomes) == 0


@pytest.mark.parametrize(
    ("ip", "forwarded_for", "may"),
    [
        ("127.0.0.1", None, True),
        ("::1", None, False),
        ("203.0.113.7", None, False),
        ("127.0.0.1", b"127.0.0.1", False),
    ],
)
def test_metrics_are_for_those_who_are_named_and_ask_directly(
    tmp_path: Path, ip: str, forwarded_for: bytes | None, may: bool
) -> None:
    class Nowhere:
        def answered(self) -> None: ...

    desk = Desk(Tally(tmp_path, Metrics()), lambda: True, (ip_network("127.0.0.0/8"),))
    head, caller = Head("GET", {}, is_question=False), Caller.at(ip_address(ip))
    exchange = Exchange(Nowhere(), b"id", head, caller, forwarded_for, None, None, False)
    assert (desk.answer(exchange, METRICS_PATH) is not None) == may


def test_to_a_proxy_that_asks_own_paths_are_like_any_other(gate: GateProcess) -> None:
    for path in ("/_gate/healthz", "/_gate/livez", "/metrics"):
        answer = gate.get("/_gate/auth", headers={"X-Original-URI": path})
        assert answer.json()["code"] == "SERVICE_UNKNOWN"


def test_two_gates_on_one_port_tell_the_same_sums(live: None) -> None:
    key, prefix = make_key(), settings.REDIS_PREFIX
    with (
        running_gate(redis_prefix=prefix, TRUSTED_PROXIES="127.0.0.1") as first,
        running_gate(redis_prefix=prefix, GATE_PORT=str(first.port)),
    ):
        # What answered for the second may have been the first; the second is there when it is counted.
        _metrics_when(first, "processes", 2)
        # Each connection is taken by one of the two.
        statuses = [first.get(f"/geocode?address=x&api_key={key.text}").status_code for _ in range(20)]
        refused = [first.get("/geocode").status_code for _ in range(10)]
        assert set(refused) == {403}
        # Each tells the other its part within a second.
        text = _metrics_when(first, 'decisions_total{outcome="key_missing"}', 10)
    assert sample(text, 'decisions_total{outcome="allowed"}') == statuses.count(200)
    assert sample(text, "decision_seconds_count") == 20


def _metrics_when(gate: GateProcess, name: str, value: float) -> str:
    """The metrics as soon as that one of them has that value."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        text = httpx.get(f"{gate.base_url}/metrics").text
        if sample(text, name) == value:
            return text
        time.sleep(0.05)
    raise AssertionError(text)


def test_gate_says_that_it_is_alive_and_ready(gate: GateProcess) -> None:
    for path in ("livez", "readyz", "healthz"):
        assert gate.get(f"/_gate/{path}").json() == {"status": "ok"}
    # Nobody behind a proxy learns that there are metrics.
    assert gate.get("/metrics", ip="203.0.113.7").json()["code"] == "SERVICE_UNKNOWN"
