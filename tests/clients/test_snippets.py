"""Every program that a key's page offers, taken from the page and run against a gate: it works as it is shown."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from playwright.sync_api import Browser, Route, TimeoutError
from pytest_django import Settings

from accounts.models import Account, Plan
from keys.models import Service
from keys.services import CreatedKey
from keys.snippets import GOONG_JS_VERSION, MAPLIBRE_VERSION, snippets
from tests.clients.harness import MapBrowser
from tests.clients.servers import LocalServer
from tests.clients.usage import recorded
from tests.factories import make_account, make_key, owner_of
from tests.processes import GateProcess

SITE = "http://*.example.com:*"
CDN = "https://cdn.jsdelivr.net/npm/"
PACKAGES = json.loads((Path(__file__).parent / "package.json").read_text())["dependencies"]


@pytest.fixture
def account(gate: GateProcess, settings: Settings) -> Account:
    settings.GATE_PUBLIC_URL = gate.base_url
    Plan.objects.create(slug="wide", name="Wide", rate_limit=100, credit_micro_usd=10**9)
    return make_account(plan="wide")


def shown(created: CreatedKey) -> dict[str, str]:
    """The programs on the key's page by name, the whole key in the place of its masked text, as a copy has it."""
    client = Client()
    client.force_login(owner_of(created.key.account))
    page = client.get(f"/keys/{created.key.pk}?tab=start").content.decode()
    found = re.findall(
        r'id="snippet-([\w-]+)".*?<pre class="snippet[^>]*data-masked="(.*?)"[^>]*>(.*?)</pre>', page, re.S
    )
    return {name: html.unescape(text).replace(masked, created.text) for name, masked, text in found}


def output(command: list[str], **environment: str) -> Any:
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


class ProgramServer(LocalServer):
    """Serves one page at `/`, as a customer's site would."""

    def __init__(self, text: str) -> None:
        super().__init__(_ProgramHandler)
        self.text = text


class _ProgramHandler(BaseHTTPRequestHandler):
    server: ProgramServer

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test's output is not the place."""


def on_page(browser: MapBrowser, node_modules: Path, text: str, until: str, read: str) -> Any:
    """What `read` is on a page with that text once `until` holds; the CDN's files come from the packages themselves."""

    def of_cdn(route: Route) -> None:
        parts = re.fullmatch(rf"{CDN}((?:@[\w-]+/)?[\w-]+)@[\d.]+/(.*)", route.request.url)
        assert parts is not None
        route.fulfill(path=node_modules / parts[1] / parts[2])

    def work(chromium: Browser) -> Any:
        context = chromium.new_context()
        console: list[str] = []
        try:
            page = context.new_page()
            page.on("console", lambda message: console.append(message.text))
            page.on("pageerror", lambda error: console.append(str(error)))
            page.route(f"{CDN}**", of_cdn)
            page.goto(f"http://shop.example.com:{server.port}/")
            page.wait_for_function(until, timeout=30_000)
            return page.evaluate(read)
        except TimeoutError:
            raise AssertionError(console) from None
        finally:
            context.close()

    server = ProgramServer(text)
    with server.running():
        return browser.run(work)


def test_programs_of_an_api_key_get_the_places_that_they_ask_for(
    account: Account, npm_clients: Path, map_browser: MapBrowser, tmp_path: Path
) -> None:
    programs = shown(make_key(account, restrictions=["127.0.0.1", SITE]))
    assert list(programs) == ["curl", "goong-sdk", "fetch", "python"]
    (tmp_path / "program.js").write_text(programs["goong-sdk"])
    (tmp_path / "program.py").write_text(programs["python"])
    answers = {
        "curl": output(["bash", "-c", programs["curl"]]),
        "goong-sdk": output(["node", str(tmp_path / "program.js")], NODE_PATH=str(npm_clients)),
        "python": output([sys.executable, str(tmp_path / "program.py")], PYTHONIOENCODING="utf-8"),
        "fetch": json.loads(
            on_page(map_browser, npm_clients, programs["fetch"], "answer.textContent", "answer.textContent")
        ),
    }
    for name, answer in answers.items():
        assert answer["status"] == "OK" and answer["results"], name
    assert recorded() == {"geocode": (4, 4)}


def test_programs_of_a_map_tiles_key_draw_a_map(account: Account, npm_clients: Path, map_browser: MapBrowser) -> None:
    programs = shown(make_key(account, type="tiles", restrictions=[SITE]))
    assert list(programs) == ["goong-js", "maplibre", "curl"]
    assert output(["bash", "-c", programs["curl"]])["layers"]
    for name in ("goong-js", "maplibre"):
        drawn = on_page(map_browser, npm_clients, programs[name], "map.loaded()", "map.queryRenderedFeatures().length")
        assert drawn > 20, name
    assert recorded()["map-load"] == (3, 3)


def test_key_held_to_some_services_gets_programs_for_one_of_them(account: Account, gate: GateProcess) -> None:
    key_services = Service.objects.filter(key_type="rest").exclude(slug="static-map")
    assert key_services.count() == 13
    for service in key_services:
        _curl, url = shlex.split(shown(make_key(account, services=[service.pk]))["curl"])
        answer = httpx.get(url, timeout=10)
        assert answer.status_code == 200, (service, answer.text)
    assert recorded() == {service.slug: (1, 1) for service in key_services}


def test_versions_are_those_that_the_tests_run() -> None:
    assert PACKAGES["@goongmaps/goong-js"] == GOONG_JS_VERSION
    assert PACKAGES["maplibre-gl"] == MAPLIBRE_VERSION
    texts = [snippet.text for snippet in snippets(gate_url="https://g.vn", key_type="tiles", key_text="K")]
    assert f"goong-js@{GOONG_JS_VERSION}/" in texts[0] and f"maplibre-gl@{MAPLIBRE_VERSION}/" in texts[1]
