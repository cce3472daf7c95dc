"""What Goong's SDK and geocoder do on a page in Chromium, against some base URL. Judges nothing; the tests do.

In a browser the SDK waits 500 ms for an answer and never says that it gave up. What it does in that time is asked
again where a busy machine let it pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, TimeoutError

from tests.clients.harness import MapBrowser, MapError, SdkCall, sdk_call

N_TRIES = 6
# Longer than the geocoder waits for the next letter and the SDK for an answer.
SETTLED_MS = 3_000


@dataclass(frozen=True, slots=True)
class GeocoderVisit:
    """What a search came to: the places offered, the one chosen as the API describes it, errors, and what is shown."""

    suggestions: list[str]
    result: dict[str, Any] | None
    errors: list[MapError]
    shown: str


def browser_sdk_calls(
    browser: MapBrowser, base_url: str, key: str, page_origin: str, *, only: Sequence[str] = (), pause_ms: int = 0
) -> dict[str, SdkCall]:
    """Make all calls of the SDK on a page (or `only` some), one after the other; a picture's bytes are left out."""

    def work(chromium: Browser) -> dict[str, SdkCall]:
        page = _open(chromium, base_url, key, page_origin)
        calls = {}
        for name in only or page.evaluate("callNames"):
            calls[name] = _settled_call(page, name)
            page.wait_for_timeout(pause_ms)
        page.context.close()
        return calls

    return browser.run(work)


def search_and_choose(
    browser: MapBrowser, base_url: str, key: str, page_origin: str, text: str = "91 Trung"
) -> GeocoderVisit:
    """Type `text` into the geocoder and choose the first place that it offers."""

    def work(chromium: Browser) -> GeocoderVisit:
        page = _open(chromium, base_url, key, page_origin)
        _search(page, text)
        offered = page.locator(".mapboxgl-ctrl-geocoder--suggestion-title").all_text_contents()
        if offered:
            _choose_first(page)
        visit = page.evaluate("visit")
        shown = page.locator(".mapboxgl-ctrl-geocoder").inner_text()
        page.context.close()
        return GeocoderVisit(offered, visit["result"], [MapError(**error) for error in visit["errors"]], shown)

    return browser.run(work)


def _open(chromium: Browser, base_url: str, key: str, page_origin: str) -> Page:
    page = chromium.new_context().new_page()
    page.goto(f"{page_origin}/rest.html#{urlencode({'base': base_url, 'key': key})}")
    return page


def _settled_call(page: Page, name: str) -> SdkCall:
    for _ in range(N_TRIES):
        call = sdk_call(name, page.evaluate("name => outcome(name)", name))
        if call.status is not None:
            break
    return call


def _search(page: Page, text: str) -> None:
    field = page.locator(".mapboxgl-ctrl-geocoder--input")
    for _ in range(N_TRIES):
        field.fill("")
        field.press_sequentially(text)
        if _is_true(page, "visit.results || visit.errors.length"):
            break


def _choose_first(page: Page) -> None:
    field = page.locator(".mapboxgl-ctrl-geocoder--input")
    field.press("ArrowDown")
    field.press("Enter")
    for _ in range(N_TRIES):
        if _is_true(page, "visit.result || visit.errors.length"):
            break
        field.dispatch_event("change")


def _is_true(page: Page, condition: str) -> bool:
    with suppress(TimeoutError):
        page.wait_for_function(condition, timeout=SETTLED_MS)
        return True
    return False
