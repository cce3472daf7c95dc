"""Whether the dashboard can do its work: its database and its store answer."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

# Whoever asks wants an answer soon: a store that is away is not asked again and again.
TIMEOUT_S = 2


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 with `{"status": "ok"}`, or 503 naming the part that does not answer."""
    parts = {"postgres": _answers(_ask_postgres), "redis": _answers(_ask_redis)}
    is_healthy = all(parts.values())
    body = {"status": "ok" if is_healthy else "unavailable", **parts}
    return JsonResponse(body, status=200 if is_healthy else 503)


def _answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except (Error, redis.RedisError):
        return False
    return True


def _ask_postgres() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
    ) as client:
        client.ping()
