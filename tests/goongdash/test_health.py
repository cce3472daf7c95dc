"""`/healthz` says whether this process can do its work, to anyone, and names what does not answer."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.test.utils import override_settings

from goongdash import health
from tests.processes import free_port


@pytest.mark.django_db
def test_healthy_site_says_so_without_sign_in_and_uncached(client: Client) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "postgres": True, "redis": True}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.django_db
def test_site_without_its_database_is_unavailable(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse() -> NoReturn:
        raise error("the connection is closed")

    monkeypatch.setattr(health, "_ask_postgres", refuse)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "postgres": False, "redis": True}


@pytest.mark.django_db
def test_site_without_its_store_is_unavailable(client: Client) -> None:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"):
        response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "postgres": True, "redis": False}


@pytest.mark.django_db
def test_health_is_only_looked_at(client: Client) -> None:
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405
