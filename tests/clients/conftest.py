"""Fixtures for tests with Goong's published clients: the npm packages, Chromium, a page server, a bare sandbox."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.harness import MapBrowser
from tests.clients.servers import PageServer, SandboxServer

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"
LOCK_FILE = HERE / "package-lock.json"
# Says which lock file node_modules was made from.
STAMP = NODE_MODULES / ".lock-sha256"


@pytest.fixture(scope="session")
def npm_clients() -> Path:
    """The folder of the clients as the lock file pins them, installed where missing or out of date."""
    digest = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    if not STAMP.exists() or STAMP.read_text() != digest:
        try:
            run = subprocess.run(["npm", "ci"], cwd=HERE, capture_output=True, text=True, timeout=300, check=False)
        except FileNotFoundError:
            pytest.fail("These tests need Node.js and npm.")
        if run.returncode:
            pytest.fail(f"npm ci failed: {run.stderr}")
        STAMP.write_text(digest)
    return NODE_MODULES


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
