"""Whether a key may be used here and for this. One query for each request, as the package does it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from bench.peers.drf.models import Key


class KeyMayBeUsed(BasePermission):
    """Leaves the key in `request.key`. Looks it up itself, as the package's own permission throws it away."""

    def has_permission(self, request: Request, view: Any) -> bool:
        path, _, query = request.headers.get("X-Original-URI", "").partition("?")
        try:
            key = Key.objects.get_from_key(QueryDict(query).get("api_key", ""))
        except Key.DoesNotExist:
            raise PermissionDenied("Refused.", "KEY_INVALID") from None
        request.key = key
        if key.has_expired:
            raise PermissionDenied("Refused.", "KEY_INVALID")
        if path.lower() != "/v2/geocode":
            raise PermissionDenied("Refused.", "KEY_TYPE")
        if not any(regex_of(pattern).match(request.headers.get("Referer", "")) for pattern in key.patterns):
            raise PermissionDenied("Refused.", "ORIGIN_NOT_ALLOWED")
        return True


@lru_cache(maxsize=65_536)
def regex_of(pattern: str) -> re.Pattern[str]:
    host = re.escape(pattern.removeprefix("http*://").removesuffix("/*")).replace(r"\*", "[^/:]+")
    return re.compile(f"https?://{host}/")
