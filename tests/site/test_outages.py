"""PostgreSQL and Redis stopped and resumed under an open installation: known keys go on, and all adds up after."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.site.installation import Installation
from tests.site.test_kills import Load


@pytest.fixture(scope="module")
def site() -> Iterator[Installation]:
    """Two gates that stay open, and forget a key after a second."""
    installation = Installation(
        GATE_PROCESSES="2", GATE_WHEN_STORE_FAILS="open", STORE_TIMEOUT_MS="300", KEY_CACHE_TTL_S="1"
    )
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


@contextmanager
def frozen(site: Installation, server: str) -> Iterator[None]:
    """`kill -STOP` for all processes of the server, until the end."""
    processes = site.servers(server)
    assert processes, f"{server} does not run"
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def make_key(site: Installation, name: str) -> dict[str, str]:
    demo = site.command_json("seed_demo")
    made: dict[str, str] = site.command_json(
        "create_key", "--account", demo["email"], "--type", "tiles", "--name", name
    )
    return made


def status(site: Installation, key: str) -> int:
    headers = {"X-Original-URI": f"/sources/base.json?api_key={key}"}
    return httpx.get(f"{site.gate_url}/_gate/auth", headers=headers, timeout=10).status_code


def test_known_keys_go_on_and_unknown_ones_wait_while_postgres_is_stopped(site: Installation) -> None:
    known, unknown = make_key(site, "known")["key"], make_key(site, "unknown")["key"]
    # Each of the two gates comes to know it.
    for _ in range(20):
        assert status(site, known) == 200
    with frozen(site, "postgres"):
        time.sleep(1.5)
        assert [status(site, known) for _ in range(20)] == [200] * 20
        assert status(site, unknown) == 503
    site.wait_for(lambda: status(site, unknown) == 200)
    assert status(site, known) == 200


def wait_for_accepted(site: Installation, load: Load, n: int) -> None:
    """Returns when `n` more have been accepted."""
    n_enough = len(load.accepted) + n
    site.wait_for(lambda: len(load.accepted) > n_enough)


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_redis_outage_under_load_loses_and_doubles_nothing(site: Installation, how: str) -> None:
    key = make_key(site, how)
    with Load(site, key["key"]) as load:
        for _ in range(3):
            wait_for_accepted(site, load, 100)
            if how == "killed":
                # The gates go on before the supervisor has started the next one.
                site.wait_for(lambda: bool(site.servers("redis")))
                site.kill("redis")
            else:
                with frozen(site, "redis"):
                    wait_for_accepted(site, load, 50)
        wait_for_accepted(site, load, 200)
    assert load.n_failed == 0
    site.wait_for(lambda: not list((site.data_dir / "spool").glob("*")))

    verified = site.command("verify_usage", "--wait", "30", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    rows = site.query("SELECT request_id::text FROM stats_usagerecord WHERE key_id = %s", key["id"])
    stored = [row[0] for row in rows]
    assert len(stored) == len(set(stored))
    assert set(load.accepted) <= set(stored)
    # Every request of this load was accepted, but for those whose caller left before the answer.
    assert len(set(stored) - set(load.accepted)) <= 4
