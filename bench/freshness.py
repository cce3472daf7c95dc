"""Seconds from a request at the gate until its number is in the sums that the statistics page reads."""

from __future__ import annotations

import statistics
import time

import httpx

from tests.site.installation import Installation

ROUNDS = 20


def measure() -> dict[str, float]:
    """Median and worst of some requests to a whole installation, a little apart from each other."""
    site = Installation()
    try:
        site.start()
        demo = site.command_json("seed_demo")
        waits = [_wait(site, demo["keys"]["rest"], n) for n in range(ROUNDS)]
    finally:
        site.stop()
    return {"median_s": statistics.median(waits), "worst_s": max(waits)}


def _wait(site: Installation, key: str, n: int) -> float:
    before = _n_today(site)
    httpx.get(f"{site.gate_url}/geocode?address=x&api_key={key}", headers={"X-Forwarded-For": f"198.51.100.{n}"})
    started = time.monotonic()
    while _n_today(site) == before:
        time.sleep(0.02)
    taken = time.monotonic() - started
    time.sleep(0.3 * (n % 5))
    return taken


def _n_today(site: Installation) -> int:
    ((n,),) = site.query("SELECT coalesce(sum(n_requests), 0) FROM stats_dailyusage")
    return int(n)
