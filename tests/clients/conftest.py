"""Fixtures for tests with Goong's published clients: the npm packages, Chromium, a page server, a bare sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.harness import MapBrowser
from tests.clients.servers import PageServer, SandboxServer


@pytest.fixture(scope="session")
def map_browser() -> Iterator[MapBrowser]:
    browser = MapBrowser()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def page_server(npm_clients: Path) -> Iterator[PageServer]:
    """Serves the page with the map; `base_url` is its origin, and so is any `http://….test:{port}`."""
    server = PageServer()
    with server.running():
        yield server


@pytest.fixture
def sandbox_server() -> Iterator[SandboxServer]:
    server = SandboxServer()
    with server.running():
        yield server
