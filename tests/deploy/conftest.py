"""Fixtures for tests with real proxies: each is started once, before the session's gate and one small API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.api import Api
from tests.deploy.proxies import PROXIES, running_proxy
from tests.processes import GateProcess


@pytest.fixture(scope="session")
def session_api() -> Iterator[Api]:
    api = Api()
    with api.running():
        yield api


@pytest.fixture(scope="session")
def proxy_url(
    session_gate: GateProcess, session_api: Api, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Where the proxy of a name listens; the first who asks starts it."""
    urls: dict[str, str] = {}
    with ExitStack() as stack:

        def url(name: str) -> str:
            if name not in urls:
                folder: Path = tmp_path_factory.mktemp(name)
                running = running_proxy(name, folder, gate_port=session_gate.port, api_port=session_api.port)
                urls[name] = stack.enter_context(running)
            return urls[name]

        yield url


@pytest.fixture
def api(session_api: Api) -> Api:
    """The API behind every proxy, which has been asked nothing yet."""
    session_api.asked.clear()
    return session_api


@pytest.fixture(params=list(PROXIES))
def proxy_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def proxy(proxy_name: str, proxy_url: Callable[[str], str], gate: GateProcess, api: Api) -> str:
    """Where each proxy in turn listens, before `gate` and `api`."""
    return proxy_url(proxy_name)
