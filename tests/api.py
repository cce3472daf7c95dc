"""Asks the usage API as a program does, and reads what it is told."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import Membership, TokenScope
from accounts.tokens import token_create

PATHS = ["usage", "keys", "requests", "statements"]


def token_of(member: Membership, *scopes: TokenScope, **options: Any) -> str:
    made = token_create(member=member, name="Report", scopes=scopes or list(TokenScope), expires_at=None, **options)
    return made.text


def ask(path: str, token: str = "", *, client: Client | None = None, method: str = "get", **query: Any) -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"/api/v1/{path}"
    answer: HttpResponse = getattr(client or Client(), method)(url, query, headers=headers)
    return answer


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    body: dict[str, Any] = answer.json()
    return body
