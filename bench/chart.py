"""Milliseconds in Chromium from the swap of new statistics to the picture of their chart."""

from __future__ import annotations

import statistics

from playwright.sync_api import Page

from bench.demo_page import demo_page

ROUNDS = 10
VIEWS = {
    "90 days by key, bars": "period=90d&by=key",
    "90 days by service, lines": "period=90d&by=service&chart=lines",
    "60 minutes by service": "period=1h",
    "31 days by hour, by outcome": "period=30d&grain=hour&by=outcome",
}
# As a click on a link of the page; the frame after the chart is drawn is the first that shows it.
_SWAP = """url => new Promise((resolve) => {
  let swapped
  const once = { once: true }
  document.addEventListener('htmx:beforeSwap', () => { swapped = performance.now() }, once)
  document.addEventListener('htmx:afterSettle', () => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - swapped)))
  }, once)
  htmx.ajax('GET', url, { target: '#statistics', swap: 'outerHTML' })
})"""


def measure() -> dict[str, float]:
    with demo_page("/statistics") as demo:
        # Nothing else is swapped meanwhile.
        demo.page.evaluate("document.getElementById('usage').dispatchEvent(new Event('htmx:abort'))")
        found = {name: [_swap(demo.page, query) for _ in range(ROUNDS)] for name, query in VIEWS.items()}
    medians = {f"{name}_ms": statistics.median(times) for name, times in found.items()}
    return {**medians, "worst_ms": max(max(times) for times in found.values())}


def _swap(page: Page, query: str) -> float:
    taken: float = page.evaluate(_SWAP, f"/statistics?{query}")
    return taken
