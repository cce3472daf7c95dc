"""Decisions a second of one gate process, as forward-auth, against the bare protocol on the same machine."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from accounts.models import Plan
from accounts.registration import account_register
from keys.services import key_create
from stats.ingest import ingest_all
from stats.rollups import usage_roll_up
from stats.stream import redis_client
from tests.processes import ROOT, free_port, running_gate

N_KEYS = 200
CONNECTIONS = 64
SECONDS = 4.0
ROUNDS = 3


def measure() -> dict[str, float]:
    """Medians of alternating rounds: requests a second of each, and their ratio."""
    requests = [_question(text, n) for n, text in enumerate(_make_keys())]
    rates: dict[str, list[float]] = {"hello": [], "gate_always": [], "gate_everysec": []}
    with _running_hello() as hello_port, running_gate(redis_prefix="bench", TRUSTED_PROXIES="127.0.0.1") as gate:
        for _ in range(ROUNDS):
            rates["hello"].append(_rate(hello_port, requests, {"200"}))
            for policy in ("always", "everysec"):
                redis_client().config_set("appendfsync", policy)
                rates[f"gate_{policy}"].append(_rate(gate.port, requests, {"200", "403"}))
                _drain()
    medians = {name: statistics.median(found) for name, found in rates.items()}
    return {
        **medians,
        "always/hello": medians["gate_always"] / medians["hello"],
        "everysec/hello": medians["gate_everysec"] / medians["hello"],
        "always/everysec": medians["gate_always"] / medians["gate_everysec"],
    }


def _make_keys() -> list[str]:
    Plan.objects.get_or_create(
        slug="bench",
        defaults={"name": "Bench", "rate_limit": 10_000, "credit_micro_usd": 10**15},
    )
    account = account_register(email=f"bench{free_port()}@example.com", password=None, plan="bench")
    patterns = ["http*://example.com/*", "http*://*.example.com/*", "203.0.113.0/24"]
    return [
        key_create(account=account, key_type="rest", name=f"Key {n}", restrictions=patterns[: n % 4]).text
        for n in range(N_KEYS)
    ]


def _question(key: str, n: int) -> str:
    """One in fourteen comes from an origin that no pattern names; a quarter of the keys has no restriction."""
    origin = "https://evil.org" if n % 14 == 0 else "https://app.example.com" if n % 2 else "https://example.com"
    return (
        "GET /_gate/auth HTTP/1.1\r\nHost: gate\r\n"
        f"X-Original-URI: /v2/geocode?address=Hanoi&api_key={key}\r\n"
        f"X-Forwarded-For: 198.51.{n % 250}.{n * 7 % 250}\r\nReferer: {origin}/\r\n\r\n"
    )


def _rate(port: int, requests: list[str], expected: set[str]) -> float:
    run = subprocess.run(
        [sys.executable, "-m", "bench.load", str(port), str(CONNECTIONS), str(SECONDS)],
        cwd=ROOT,
        input="\n".join(map(json.dumps, requests)),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(run.stdout)
    if not found["statuses"] or set(found["statuses"]) - expected:
        raise RuntimeError(f"Not the answers that were to be measured: {found['statuses']}")
    return float(found["n"] / found["seconds"])


def _drain() -> None:
    """What one round left must not slow the next."""
    ingest_all()
    while usage_roll_up():
        pass


@contextmanager
def _running_hello() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.hello", str(port)], cwd=ROOT)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()
