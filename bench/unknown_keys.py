"""What a flood of well-shaped keys that do not exist costs the gate, and the callers of a key that does."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import subprocess
import sys
import time

from accounts.models import Plan
from accounts.registration import account_register
from keys.key_text import make_key_text
from keys.services import key_create
from tests.processes import ROOT, free_port, running_gate

N_TEXTS = 100_000
CONNECTIONS = 64
SECONDS = 4.0
PAUSE_S = 0.002


def measure() -> dict[str, float]:
    """Refusals a second, and milliseconds that a known key waits without and with the flood beside it.

    The key's time-to-live is a second, so that its refreshes compete with the flood as well.
    """
    account = account_register(email=f"bench{free_port()}@example.com", password=None, plan=_plan())
    known = key_create(account=account, key_type="rest", name="Known").text
    flood = [_question(make_key_text("rest", random.choice)) for _ in range(N_TEXTS)]
    with running_gate(redis_prefix="bench", TRUSTED_PROXIES="127.0.0.1", KEY_CACHE_TTL_S="1") as gate:
        quiet = _waits(gate.port, known, SECONDS)
        load = _start(gate.port, flood)
        busy = _waits(gate.port, known, SECONDS)
        found = json.loads(load.communicate(timeout=60)[0])
    n_refused = found["statuses"].get("403", 0)
    return {
        "refused_per_s": n_refused / found["seconds"],
        "turned_away_percent": 100 * (1 - n_refused / found["n"]),
        **{f"quiet_{name}": value for name, value in _summary(quiet).items()},
        **{f"flood_{name}": value for name, value in _summary(busy).items()},
    }


def _plan() -> str:
    """The plan of `bench.gate`: with limits that nothing here meets."""
    Plan.objects.get_or_create(
        slug="bench", defaults={"name": "Bench", "rate_limit": 10_000, "credit_micro_usd": 10**15}
    )
    return "bench"


def _question(key: str) -> str:
    return f"GET /_gate/auth HTTP/1.1\r\nHost: gate\r\nX-Original-URI: /v2/geocode?address=Hanoi&api_key={key}\r\n\r\n"


def _start(port: int, requests: list[str]) -> subprocess.Popen[str]:
    """The load generator, once it has begun."""
    command = [sys.executable, "-m", "bench.load", str(port), str(CONNECTIONS), str(SECONDS + 0.5)]
    load = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert load.stdin is not None
    load.stdin.write("\n".join(map(json.dumps, requests)))
    load.stdin.close()
    load.stdin = None
    time.sleep(1.0)
    return load


def _waits(port: int, key: str, seconds: float) -> list[float]:
    """Milliseconds of one caller's requests, one after the other."""
    waits, end = [], time.monotonic() + seconds
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while time.monotonic() < end:
        started = time.perf_counter()
        headers = {"X-Original-URI": f"/v2/geocode?address=Hanoi&api_key={key}"}
        connection.request("GET", "/_gate/auth", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"The known key was answered with {answer.status}.")
        waits.append((time.perf_counter() - started) * 1_000)
        time.sleep(PAUSE_S)
    return waits


def _summary(waits_ms: list[float]) -> dict[str, float]:
    return {
        "p50_ms": statistics.median(waits_ms),
        "p99_ms": statistics.quantiles(waits_ms, n=100)[98],
        "worst_ms": max(waits_ms),
    }
