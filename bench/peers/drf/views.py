"""The one view: permission, throttles, a line in a Redis stream."""

from __future__ import annotations

import uuid
from typing import Any

import redis
from django.conf import settings
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.peers.drf.permissions import KeyMayBeUsed
from bench.peers.drf.throttles import DayThrottle, RateThrottle

PRICE = 5_000
_store = redis.Redis.from_url(settings.REDIS_URL)


class Auth(APIView):
    permission_classes = (KeyMayBeUsed,)
    throttle_classes = (RateThrottle, DayThrottle)

    def get(self, request: Request) -> Response:
        return Response(headers={"X-Account-Id": str(request.key.account_id), "X-Key-Id": str(request.key.key_id)})

    def handle_exception(self, exc: Exception) -> Response:
        """The framework's headers, and a body like the gate's."""
        answer = super().handle_exception(exc)
        if isinstance(exc, APIException):
            code = "RATE_LIMIT" if isinstance(exc, Throttled) else exc.get_codes()
            answer.data = {"message": "Refused.", "code": code}
        return answer

    def finalize_response(self, request: Request, response: Response, *args: Any, **options: Any) -> Response:
        request_id = str(uuid.uuid4())
        response["X-Request-Id"] = request_id
        response["Access-Control-Allow-Origin"] = "*"
        key = getattr(request, "key", None)
        if key is not None:
            ip, origin = request.headers.get("X-Forwarded-For", ""), request.headers.get("Referer", "")
            line = (
                f"{response.status_code}\t{key.account_id}\t{key.key_id}\t6\t1\t{PRICE}\t{ip}\t{origin}\t{request_id}"
            )
            _store.xadd("peer:drf", {"e": line})
        return super().finalize_response(request, response, *args, **options)
