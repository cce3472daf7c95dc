"""What Goong's published clients do against some base URL: the SDK in node, a map in Chromium.

Says what happened and judges nothing; the tests do. Works against the gate as well as against a bare sandbox.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Browser, Page, Playwright, Request, TimeoutError, sync_playwright

HERE = Path(__file__).parent
GOONG_TILES = "https://tiles.goong.io"
HANOI = (105.8342, 21.0278)
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = (
    *("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    # So that a page may have any of these origins, on the port of the test's own page server.
    "--host-resolver-rules=MAP example.com 127.0.0.1, MAP *.example.com 127.0.0.1, MAP *.test 127.0.0.1",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SdkCall:
    """What one call of the SDK came to. `body` is the parsed answer; of a picture, its bytes."""

    name: str
    ok: bool
    status: int | None
    url: str
    body: Any
    message: str | None


def sdk_calls(base_url: str, key: str, *, only: Sequence[str] = (), pause_ms: int = 0) -> dict[str, SdkCall]:
    """Make all calls of the SDK (or `only` some, in that order), one after the other; the outcomes by call name."""
    command = ["node", str(HERE / "goong_sdk.cjs"), base_url, key, str(pause_ms), ",".join(only)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if run.returncode:
        raise AssertionError(f"node failed: {run.stderr}")
    return {name: sdk_call(name, outcome) for name, outcome in json.loads(run.stdout).items()}


def sdk_call(name: str, outcome: dict[str, Any]) -> SdkCall:
    body = outcome.get("body")
    if outcome["ok"] and isinstance(body, str):
        body = base64.b64decode(body)
    return SdkCall(name, outcome["ok"], outcome["status"], outcome["url"], body, outcome.get("message"))


@dataclass(frozen=True, slots=True)
class MapError:
    """One `error` event of the map."""

    status: int | None
    message: str
    url: str


@dataclass(frozen=True, slots=True)
class MapRequest:
    """One request the page made to the base URL. `status` is None where no answer came."""

    url: str
    status: int | None
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.url).query)


@dataclass(frozen=True, slots=True)
class MapVisit:
    """What happened to a map, from opening the page until it was idle or had failed."""

    loaded: bool
    idle: bool
    errors: list[MapError]
    rendered: dict[str, int]
    requests: list[MapRequest]
    console: list[str]
    screenshot: bytes

    def requests_to(self, prefix: str) -> list[MapRequest]:
        """The requests whose path begins like this: `/assets/`, `/sources/`, `/sprite/`, `/fonts/`, `/tiles/`."""
        return [request for request in self.requests if request.path.startswith(prefix)]


class MapBrowser:
    """Chromium, driven from a thread of its own: Playwright runs an event loop, which would keep Django from
    using the database in the test's thread, and allows no second Playwright beside it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="map-browser")
        self._playwright: Playwright = self._call(lambda: sync_playwright().start())
        self._browser: Browser = self._call(self._launch)

    def run(self, work: Callable[[Browser], T]) -> T:
        return self._call(lambda: work(self._browser))

    def close(self) -> None:
        self._call(self._browser.close)
        self._call(self._playwright.stop)
        self._thread.shutdown()

    def _launch(self) -> Browser:
        return self._playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))

    def _call(self, work: Callable[[], T]) -> T:
        return self._thread.submit(work).result(timeout=120)


def open_map(
    browser: MapBrowser,
    base_url: str,
    key: str,
    page_origin: str,
    *,
    style: str = "goong_map_web",
    style_url: str | None = None,
    centre: tuple[float, float] = HANOI,
    zoom: float = 13,
    size_px: tuple[int, int] = (900, 600),
    timeout_s: float = 30,
    page: str = "map.html",
) -> MapVisit:
    """Open a page of `page_origin` with one map, and wait until the map is idle or an error came.

    The style is named as Goong's documentation has it, on Goong's own host, and goong-js puts `base_url` and the
    key in; a `style_url` is taken as it is. The page `maplibre.html` has MapLibre in goong-js's place.
    """
    lng, lat = centre
    fragment = urlencode(
        {
            "base": base_url,
            "key": key,
            "style": style_url or f"{GOONG_TILES}/assets/{style}.json",
            "lng": lng,
            "lat": lat,
            "zoom": zoom,
        }
    )
    url = f"{page_origin}/{page}#{fragment}"
    return browser.run(lambda chromium: _visit(chromium, url, base_url, size_px, timeout_s))


def _visit(chromium: Browser, url: str, base_url: str, size_px: tuple[int, int], timeout_s: float) -> MapVisit:
    context = chromium.new_context(viewport={"width": size_px[0], "height": size_px[1]})
    try:
        page = context.new_page()
        requests: dict[Request, int | None] = {}
        console: list[str] = []
        context.on("request", lambda request: requests.update({request: None}))
        context.on("response", lambda response: requests.update({response.request: response.status}))
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(url)
        with suppress(TimeoutError):
            page.wait_for_function("visit.idle || visit.errors.length", timeout=timeout_s * 1000)
        return _seen(page, base_url, requests, console)
    finally:
        context.close()


def _seen(page: Page, base_url: str, requests: dict[Request, int | None], console: list[str]) -> MapVisit:
    # A failed map may still report a second error, which a test wants to see: time for it to come.
    if page.evaluate("visit.errors.length"):
        page.wait_for_timeout(500)
    visit = page.evaluate("visit")
    return MapVisit(
        loaded=visit["loaded"],
        idle=visit["idle"],
        errors=[MapError(**error) for error in visit["errors"]],
        rendered=page.evaluate("visit.loaded ? renderedLayers() : {}"),
        requests=[
            MapRequest(request.url, status, request.headers)
            for request, status in list(requests.items())
            if request.url.startswith(base_url)
        ],
        console=console,
        screenshot=page.screenshot(),
    )
