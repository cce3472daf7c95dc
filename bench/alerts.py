"""Seconds from the request at the gate that crosses a threshold until its notice is there, in a whole installation."""

from __future__ import annotations

import time
from statistics import median, quantiles

import httpx

from tests.site.installation import Installation

ROUNDS = 100
_SPENT = """
    SELECT coalesce(sum(cost_micro_usd), 0) FROM stats_dailyusage
    WHERE account_id = %s AND day_on >= date_trunc('month', now() AT TIME ZONE 'Asia/Ho_Chi_Minh')
"""
_SET_BUDGET = """
    INSERT INTO billing_budget (account_id, amount_micro_usd, set_at) VALUES (%s, %s, now())
    ON CONFLICT (account_id) DO UPDATE SET amount_micro_usd = excluded.amount_micro_usd RETURNING amount_micro_usd
"""
PRICE_MICRO_USD = 5_000
TIMEOUT_S = 60


def measure() -> dict[str, float]:
    """Again and again a budget is set whose half the next request crosses; a little apart from each other."""
    site = Installation()
    try:
        site.start()
        demo = site.command_json("seed_demo")
        ((account_id,),) = site.query("SELECT account_id FROM accounts_membership ORDER BY id LIMIT 1")
        httpx.get(f"{site.gate_url}/geocode?address=x&api_key={demo['keys']['rest']}")
        time.sleep(10)
        waits = [_wait(site, demo["keys"]["rest"], account_id, n) for n in range(ROUNDS)]
    finally:
        site.stop()
    return {
        "crossings": len(waits),
        "median (s)": median(waits),
        "p99 (s)": quantiles(waits, n=100)[98],
        "worst (s)": max(waits),
    }


def _wait(site: Installation, key: str, account_id: int, n: int) -> float:
    ((spent,),) = site.query(_SPENT, account_id)
    site.query(_SET_BUDGET, account_id, 2 * (int(spent) + PRICE_MICRO_USD))
    # Not in step with what happens every second.
    time.sleep(0.37 * (n % 5))
    before = _n_told(site)
    started = time.monotonic()
    url = f"{site.gate_url}/geocode?address=x&api_key={key}"
    httpx.get(url, headers={"X-Forwarded-For": f"198.51.100.{n}"}).raise_for_status()
    while _n_told(site) == before:
        if time.monotonic() - started > TIMEOUT_S:
            raise RuntimeError("No notice came.")
        time.sleep(0.02)
    return time.monotonic() - started


def _n_told(site: Installation) -> int:
    ((n,),) = site.query("SELECT count(*) FROM accounts_notice WHERE kind = 'budget_threshold'")
    return int(n)
