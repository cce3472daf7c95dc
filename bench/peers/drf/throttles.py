"""The framework's own throttles: a list of times in the cache for each, read and written back whole.

Two requests at once may both pass where one was left, and what one throttle refuses, another has counted.
"""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class RateThrottle(SimpleRateThrottle):
    """Five a second for a key and an address."""

    scope, rate = "rate", "5/s"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"rate:{request.key.key_id}:{request.headers.get('X-Forwarded-For', '')}"


class DayThrottle(SimpleRateThrottle):
    """The key's own number in the last 24 hours."""

    scope, rate = "day", "1/d"

    def allow_request(self, request: Request, view: Any) -> bool:
        self.num_requests = request.key.requests_per_day
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"day:{request.key.key_id}"
