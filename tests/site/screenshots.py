"""Takes the pictures of docs/screenshots: `make screenshots`.

A whole installation is started in a folder of its own, with the demo's usage and a few real requests to its gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.clients.harness import CHROMIUM, CHROMIUM_ARGS
from tests.processes import ROOT
from tests.site.installation import Installation

FOLDER = ROOT / "docs" / "screenshots"
# Of a long page, its beginning.
MAX_HEIGHT_PX = 1_750
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_SETTLED = "document.fonts.ready.then(() => true)"
# A page that was never seen from is told of at once, so that there is a notice to show.
_SOON = {"ORIGIN_LEARNING_HOURS": "0", "ORIGIN_MIN_REQUESTS": "3", "LOG_FORMAT": "text"}
_NEW_ORIGIN = "https://copycat.example.net"


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is taken, and how its name ends."""

    suffix: str
    viewport: dict[str, int]
    scheme: str
    language: str = "en-GB"


LIGHT = Look("", WIDE, "light")
DARK_PHONE = Look("-phone", PHONE, "dark")
VIETNAMESE = Look("-vi", WIDE, "light", "vi-VN")


def main() -> None:
    installation = Installation(**_SOON)
    try:
        installation.start()
        pages = pages_of(installation)
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.glob("*.png"):
            old.unlink()
        with chromium() as browser:
            take(browser, installation, LIGHT, pages)
            take(browser, installation, DARK_PHONE, {name: pages[name] for name in _ON_A_PHONE})
            take(browser, installation, VIETNAMESE, {"statistics": pages["statistics"]})
    finally:
        installation.stop()


_ON_A_PHONE = ("keys", "key", "refusal", "statistics", "billing")


def pages_of(installation: Installation) -> dict[str, str]:
    """The path of each picture's page, by the picture's name."""
    demo = installation.command_json("seed_demo")
    refused = use(installation, demo["keys"])
    [(key_id,)] = installation.query("SELECT id FROM keys_apikey WHERE name = 'Demo web site'")
    [(month,)] = installation.query("SELECT max(period_on) FROM billing_statement")
    installation.wait_for(lambda: bool(installation.query("SELECT 1 FROM accounts_notice")), 240)
    return {
        "keys": "/keys",
        "key": f"/keys/{key_id}",
        "requests": "/requests?outcome=refused",
        "refusal": f"/requests/{refused}",
        "statistics": "/statistics?period=30d",
        "cost-by-key": "/statistics?period=30d&by=key&measure=cost",
        "billing": "/billing",
        "statement": f"/billing/statements/{month:%Y-%m}",
        "notices": "/notices",
        "account": "/account",
    }


def use(installation: Installation, keys: dict[str, str]) -> str:
    """Asks the gate a few things; returns the id of a request that was refused, once it is recorded."""
    for _ in range(4):
        ask(installation, keys["rest"], _NEW_ORIGIN)
    ask(installation, keys["restricted"], "https://example.com")
    refused = ask(installation, keys["restricted"], "https://www.example.com")
    assert refused.status_code == 403, refused.text
    request_id = refused.headers["X-Request-Id"]
    record = "SELECT 1 FROM stats_usagerecord WHERE request_id = %s"
    installation.wait_for(lambda: bool(installation.query(record, request_id)))
    return request_id


def ask(installation: Installation, key: str, origin: str) -> httpx.Response:
    query = {"address": "Hồ Hoàn Kiếm", "api_key": key}
    return httpx.get(f"{installation.gate_url}/Geocode", params=query, headers={"Referer": f"{origin}/"})


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


def take(browser: Browser, installation: Installation, look: Look, pages: dict[str, str]) -> None:
    """One picture of each page; in the plain look, also of the dialog that makes a key."""
    options: dict[str, Any] = {"viewport": look.viewport, "color_scheme": look.scheme, "locale": look.language}
    context = browser.new_context(**options, reduced_motion="reduce", timezone_id="Asia/Ho_Chi_Minh")
    page = context.new_page()
    sign_in(page, installation)
    for name, path in pages.items():
        page.goto(installation.url + path)
        snap(page, FOLDER / f"{name}{look.suffix}.png")
    if look is LIGHT:
        page.goto(f"{installation.url}/keys")
        page.locator("#create-key").click()
        page.get_by_role("dialog").get_by_role("textbox").first.fill("Storefront")
        snap(page, FOLDER / "create-key.png", is_whole=False)
    context.close()


def sign_in(page: Page, installation: Installation) -> None:
    demo = installation.command_json("seed_demo")
    page.goto(f"{installation.url}/account/login/")
    page.locator("input[name=login]").fill(demo["email"])
    page.locator("input[name=password]").fill(demo["password"])
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/keys")


def snap(page: Page, path: Path, *, is_whole: bool = True) -> None:
    """The page in a window as high as itself, so that what sticks to the window's foot is there; or as it stands."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    size = page.viewport_size
    if is_whole and size:
        height = min(page.evaluate("document.documentElement.scrollHeight"), MAX_HEIGHT_PX)
        page.set_viewport_size({"width": size["width"], "height": height})
    page.evaluate(_SETTLED)
    page.wait_for_timeout(300)  # A chart is drawn anew for its new size.
    page.screenshot(path=path)
    if size:
        page.set_viewport_size(size)


if __name__ == "__main__":
    main()
