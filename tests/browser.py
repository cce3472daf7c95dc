"""A site in Chromium for walks over the pages of the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account
from tests.clients.harness import CHROMIUM, CHROMIUM_ARGS
from tests.factories import make_account, owner_of

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

OpenPage = Callable[..., Page]


@pytest.fixture
def owner(live: None) -> Account:
    return make_account("alice@example.com", name="Alice Maps")


@pytest.fixture
def chromium(owner: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Started last and closed first: while it runs, this thread has an event loop and another database connection."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # No query is ever made from within that loop.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def site_url(owner: Account, live_server: LiveServer, settings: Settings) -> str:
    settings.ALLOWED_HOSTS = ["localhost"]
    return live_server.url


@pytest.fixture
def open_page(site_url: str, owner: Account, chromium: Browser) -> Iterator[OpenPage]:
    """Opens a page as the owner, in a window of its own. No page may have had an error or broken the policy."""
    client = Client()
    client.force_login(owner_of(owner))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site_url}
    trouble: list[str] = []
    contexts = []

    def open_one(path: str = "/keys", viewport: dict[str, int] = WIDE) -> Page:
        context = chromium.new_context(viewport=viewport, permissions=["clipboard-read", "clipboard-write"])  # type: ignore[arg-type]
        contexts.append(context)
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda line: trouble.append(line.text) if "Security Policy" in line.text else None)
        page.goto(site_url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert trouble == []


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")
