"""Fixtures for every test: servers, people, and a store of its own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.test import Client, TransactionTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings
from xdist.remote import Producer

from accounts.changes import changes_channel
from accounts.models import Account
from goongdash.embedded.servers import using_servers
from stats.stream import redis_client
from tests import tables
from tests.browser import chromium, open_page, owner, site_url  # noqa: F401 — fixtures of all walks over pages.
from tests.environment import DATA_DIR
from tests.factories import make_account, owner_of
from tests.npm import npm_clients  # noqa: F401
from tests.order import FileScheduling, longest_first
from tests.processes import SESSION_PREFIX, GateProcess, running_gate
from tests.shards import shards_open


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files come in random order where one process runs them all."""
    if hasattr(config, "workerinput"):
        longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling | None:
    return FileScheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """The session's servers are up from before the first database test until after the last."""
    with using_servers(DATA_DIR):
        yield


@pytest.fixture(autouse=True)
def own_store(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """Each test has Redis keys and a cache that no other test has, and passwords that cost little."""
    settings.REDIS_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": f"{settings.REDIS_PREFIX}:cache"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    # A request leaves its language to the thread; the next one of a site would bring its own.
    translation.deactivate()
    if {"db", "transactional_db"} & set(request.fixturenames) or request.node.get_closest_marker("django_db"):
        client = redis_client()
        for key in client.scan_iter(f"{settings.REDIS_PREFIX}:*"):
            client.delete(key)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Plans, services and prices are back after every `live` test."""
    with django_db_blocker.unblock():
        tables.keep_rows()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: tables.put_back())
        yield


@pytest.fixture
def live(transactional_db: None) -> None:
    """Commits are real, so that other processes see them; they are taken away afterwards."""


@pytest.fixture(scope="session")
def session_gate(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[GateProcess]:
    with (
        django_db_blocker.unblock(),
        running_gate(redis_prefix=SESSION_PREFIX, TRUSTED_PROXIES="127.0.0.1", KEY_CACHE_TTL_S="3600") as process,
    ):
        yield process


@pytest.fixture
def gate(live: None, session_gate: GateProcess, settings: Settings) -> GateProcess:
    """A running gate that believes X-Forwarded-For from this machine, and whose store is empty."""
    settings.REDIS_PREFIX = SESSION_PREFIX
    shards_open()
    while session_gate.get("/geocode").status_code == 404:
        # It looked while a test had switched the service off.
        redis_client().publish(changes_channel(), "catalogue")
    return session_gate


@pytest.fixture
def alice(db: None) -> Account:
    """The owner's account."""
    return make_account("alice@example.com", name="Alice Maps")


@pytest.fixture
def charlie(db: None) -> Account:
    """A stranger's account."""
    return make_account("charlie@example.com", name="Charlie")


@pytest.fixture
def alice_client(alice: Account) -> Client:
    client = Client()
    client.force_login(owner_of(alice))
    return client


@pytest.fixture
def charlie_client(charlie: Account) -> Client:
    client = Client()
    client.force_login(owner_of(charlie))
    return client
