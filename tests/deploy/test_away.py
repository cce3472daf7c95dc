"""A part behind the proxy is away: nothing passes unasked, and nobody mistakes whose fault it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.api import Api
from tests.deploy.asking import ask
from tests.deploy.proxies import PROXIES, running_proxy
from tests.factories import make_key
from tests.processes import GateProcess, free_port, running_gate


@dataclass(frozen=True, slots=True)
class Site:
    """Every proxy by its name, where it listens; and where each looks for the gate and for the API."""

    urls: dict[str, str]
    gate_port: int
    api_port: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """All proxies, and nothing behind them but what a test starts there."""
    gate_port, api_port = free_port(), free_port()
    with ExitStack() as stack:
        running = {
            name: running_proxy(name, tmp_path_factory.mktemp(name), gate_port=gate_port, api_port=api_port)
            for name in PROXIES
        }
        yield Site({name: stack.enter_context(proxy) for name, proxy in running.items()}, gate_port, api_port)


def test_nothing_passes_while_the_gate_is_away(live: None, site: Site) -> None:
    uri = f"/Geocode?address=Hanoi&api_key={make_key().text}"
    api = Api(site.api_port)
    with api.running():
        for name, url in site.urls.items():
            for method in ("GET", "HEAD", "OPTIONS"):
                assert ask(url, uri, method=method).status in (500, 502, 503), name
    assert api.asked == []


def test_nothing_passes_while_haproxys_script_fails(gate: GateProcess, api: Api, tmp_path: Path) -> None:
    """HAProxy itself goes on with the next rule where a script stops with an error."""
    uri = f"/Geocode?address=Hanoi&api_key={make_key().text}"
    fault = ("    local answer =", "    local answer = nil ..")
    with running_proxy("haproxy", tmp_path, gate_port=gate.port, api_port=api.port, replacing=fault) as url:
        assert ask(url, uri).status == 503
    assert api.asked == []


def test_away_store_is_told_as_the_gate_tells_it(live: None, site: Site) -> None:
    uri = f"/Geocode?address=Hanoi&api_key={make_key().text}"
    api, away = Api(site.api_port), {"REDIS_URL": "redis://127.0.0.1:9/0", "GATE_PORT": str(site.gate_port)}
    with api.running(), running_gate(redis_prefix="test-away", waits_for_health=False, **away):
        for name, url in site.urls.items():
            answer = ask(url, uri)
            assert (answer.status, answer.json()["code"]) == (503, "UNAVAILABLE"), name
            assert answer.values("Retry-After") == ["1"]
            assert answer.values("Access-Control-Allow-Origin") == ["*"]
            # Envoy says it in its own words.
            if name != "envoy":
                assert answer.values("X-Request-Id") == [answer.json()["request_id"]]
    assert api.asked == []


def test_away_api_is_the_proxys_own_error(live: None, site: Site) -> None:
    key = make_key()
    with running_gate(redis_prefix="test-away", GATE_PORT=str(site.gate_port)):
        for name, url in site.urls.items():
            answer = ask(url, f"/Geocode?address=Hanoi&api_key={key.text}")
            # HAProxy and Envoy say 503 where the others say 502.
            assert answer.status == (503 if name in ("haproxy", "envoy") else 502)
            assert b'"code"' not in answer.body
            assert ask(url, "/Geocode?address=Hanoi").json()["code"] == "KEY_MISSING"
