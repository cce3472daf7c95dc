"""The whole road as a customer walks it, in a browser: from signing up to a deleted key that is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.clients.harness import CHROMIUM, CHROMIUM_ARGS
from tests.clients.servers import LocalServer
from tests.site.installation import Installation

EMAIL, PASSWORD = "customer@example.com", "a long enough sentence"


class _BlankPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A shop</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def shops() -> Iterator[LocalServer]:
    """Blank pages under any host name that leads here."""
    server = LocalServer(_BlankPage)
    with server.running():
        yield server


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


def sign_up(page: Page, site: Installation) -> None:
    page.goto(f"{site.url}/")
    page.get_by_role("link", name=re.compile("sign up|create an account", re.IGNORECASE)).first.click()
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password1]").press("Enter")
    page.wait_for_url("**/confirm-email/")
    page.goto(mailed_link(site))
    page.get_by_role("button", name=re.compile("confirm", re.IGNORECASE)).click()
    page.wait_for_url(f"{site.url}/keys")


def mailed_link(site: Installation) -> str:
    mails = sorted((site.data_dir / "mail").iterdir(), key=lambda path: path.stat().st_mtime)
    match = re.search(r"https?://\S+/confirm-email/\S+", mails[-1].read_text())
    assert match, mails[-1].read_text()
    return match[0]


def create_key(page: Page, name: str, pattern: str) -> str:
    page.get_by_role("button", name="Create your first key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("API Key Name").fill(name)
    dialog.get_by_role("tab", name="Restrictions").click()
    dialog.locator("input[name=restrictions]").first.fill("not a pattern at all?")
    dialog.get_by_role("button", name="Create API Key").click()
    expect(dialog.locator(".entry-error").first).to_be_visible()
    dialog.locator("input[name=restrictions]").first.fill(pattern)
    dialog.get_by_role("button", name="Create API Key").click()
    text = dialog.locator("#created-text").inner_text()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_be_hidden()
    return text


def call_from(context: BrowserContext, origin: str, url: str) -> dict[str, Any]:
    """What a script on a page of `origin` gets from the gate."""
    page = context.new_page()
    page.goto(origin)
    answer = page.evaluate("async url => { const r = await fetch(url); return [r.status, await r.text()] }", url)
    page.close()
    return {**json.loads(answer[1]), "http": answer[0]}


def test_customer_walks_the_whole_road(site: Installation, chromium: Browser, shops: LocalServer) -> None:
    context = chromium.new_context()
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text) if "Content Security Policy" in line.text else None)

    sign_up(page, site)
    expect(page.get_by_text("No keys yet")).to_be_visible()
    key = create_key(page, "Shop front", "http*://shop.example.com:*")
    expect(page.get_by_role("row", name=re.compile("Shop front"))).to_be_visible()

    url = f"{site.gate_url}/Geocode?address=Hanoi&api_key={key}"
    allowed = call_from(context, f"http://shop.example.com:{shops.port}/", url)
    refused = call_from(context, f"http://thief.test:{shops.port}/", url)
    assert (allowed["http"], allowed["status"]) == (200, "OK")
    assert (refused["http"], refused["code"]) == (403, "ORIGIN_NOT_ALLOWED")

    page.get_by_role("link", name="Statistics").first.click()
    page.get_by_role("radio", name="Today").check()
    expect(page.get_by_role("row", name=re.compile("Origin not allowed"))).to_be_visible(timeout=15_000)
    expect(page.get_by_role("row", name=re.compile("^Allowed"))).to_contain_text("1")
    expect(page.get_by_role("row", name=re.compile("Geocode"))).to_contain_text("$0.005")

    page.get_by_role("link", name="Billing").first.click()
    expect(page.get_by_text("$99.995").first).to_be_visible()

    page.get_by_role("link", name="API keys").first.click()
    page.get_by_role("button", name=re.compile("Delete the key")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the key").click()
    expect(page.get_by_role("dialog").get_by_text(re.compile(r"(\d+) of \1 gate"))).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Done").click()
    expect(page.get_by_text("No keys yet")).to_be_visible()
    gone = call_from(context, f"http://shop.example.com:{shops.port}/", url)
    assert (gone["http"], gone["code"]) == (403, "KEY_INVALID")
    assert trouble == []
    context.close()
