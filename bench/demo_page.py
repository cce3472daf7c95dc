"""A whole installation with the demo account's page open in Chromium, for what only a browser can tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page, sync_playwright

from tests.clients.harness import CHROMIUM, CHROMIUM_ARGS
from tests.site.installation import Installation


@dataclass(frozen=True, slots=True)
class DemoPage:
    site: Installation
    key: str
    page: Page


@contextmanager
def demo_page(path: str) -> Iterator[DemoPage]:
    """Signed in as the demo account, at `path`."""
    site = Installation()
    try:
        site.start()
        demo = site.command_json("seed_demo")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(site.url + path)
            page.locator("input[name=login]").fill(demo["email"])
            page.locator("input[name=password]").fill(demo["password"])
            page.keyboard.press("Enter")
            page.wait_for_selector("#usage")
            yield DemoPage(site, demo["keys"]["rest"], page)
            browser.close()
    finally:
        site.stop()
