"""Seconds from a request at the gate until its number stands on the statistics page, open in Chromium."""

from __future__ import annotations

import random
import statistics
import time

import httpx

from bench.demo_page import DemoPage, demo_page

REQUESTS = 200
_GAPS_S = (0.1, 0.9)
# Each number of requests that the page shows, and when it came.
_WATCH = """() => {
  const shown = () => Number(document.querySelector('#usage .stat dd')?.firstChild.textContent.replace(/\\D/g, '') ?? 0)
  window.seen = [[Date.now() / 1000, shown()]]
  new MutationObserver(() => {
    const n = shown()
    if (n !== window.seen.at(-1)[1]) window.seen.push([Date.now() / 1000, n])
  }).observe(document.getElementById('main'), { childList: true, subtree: true })
}"""


def measure() -> dict[str, float]:
    """Median, p99 and worst of requests at moments of chance. The page does what it does for everybody."""
    with demo_page("/statistics?period=today") as demo:
        demo.page.evaluate(_WATCH)
        waits = sorted(_waits(demo))
    return {
        "requests": REQUESTS,
        "median_s": statistics.median(waits),
        "p99_s": waits[int(len(waits) * 0.99) - 1],
        "worst_s": waits[-1],
    }


def _waits(demo: DemoPage) -> list[float]:
    ((_, n_before),) = demo.page.evaluate("window.seen")
    sent_at = []
    for n in range(REQUESTS):
        sent_at.append(time.time())
        url = f"{demo.site.gate_url}/geocode?address=x&api_key={demo.key}"
        httpx.get(url, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        demo.page.wait_for_timeout(1_000 * random.uniform(*_GAPS_S))  # Which lets the page go on, too.
    demo.page.wait_for_function("n => window.seen.at(-1)[1] >= n", arg=n_before + REQUESTS)
    seen = demo.page.evaluate("window.seen")
    return [next(at for at, n in seen if n >= n_before + place) - sent for place, sent in enumerate(sent_at, start=1)]
