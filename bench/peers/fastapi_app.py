"""The gate's work in FastAPI: keys and compiled patterns in memory, limits by `limits` in Redis.

KEYS_FILE and REDIS_SOCKET come from the environment. `slowapi` is `limits` behind a decorator, without its
asyncio side; this calls the library itself, so that the loop does not wait for Redis.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import redis.asyncio
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from limits import RateLimitItemPerDay, RateLimitItemPerMonth, RateLimitItemPerSecond
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from limits.storage import storage_from_string

PRICE = 5_000
CORS = {"Access-Control-Allow-Origin": "*"}

_socket = os.environ["REDIS_SOCKET"]
_MAX_CONNECTIONS = 1_000
_storage: Any = storage_from_string(
    f"async+redis+unix://{_socket}", implementation="redispy", max_connections=_MAX_CONNECTIONS
)
_rate, _quota = MovingWindowRateLimiter(_storage), FixedWindowRateLimiter(_storage)
_store = redis.asyncio.Redis(unix_socket_path=_socket, max_connections=_MAX_CONNECTIONS)


def _regex(pattern: str) -> re.Pattern[str]:
    host = re.escape(pattern.removeprefix("http*://").removesuffix("/*")).replace(r"\*", "[^/:]+")
    return re.compile(f"https?://{host}/")


_KEYS = {
    key["text"]: {**key, "regexes": [_regex(pattern) for pattern in key["patterns"]]}
    for key in json.loads(Path(os.environ["KEYS_FILE"]).read_text())
}

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/_gate/auth")
async def auth(request: Request) -> Response:
    headers = request.headers
    path, _, query = headers.get("x-original-uri", "").partition("?")
    key = _KEYS.get(parse_qs(query).get("api_key", [""])[0])
    request_id = str(uuid.uuid4())
    if key is None:
        return _refused(403, "KEY_INVALID", request_id)
    ip, origin = headers.get("x-forwarded-for", ""), headers.get("referer", "")
    status, code = _refusal(key, path, origin) or await _count(key, ip) or (200, "")
    line = f"{status}\t{key['account_id']}\t{key['key_id']}\t6\t1\t{PRICE}\t{ip}\t{origin}\t{request_id}"
    await _store.xadd("peer:fastapi", {"e": line})
    if status != 200:
        return _refused(status, code, request_id)
    known = {"X-Account-Id": str(key["account_id"]), "X-Key-Id": str(key["key_id"])}
    return Response(headers={**CORS, "X-Request-Id": request_id, **known})


def _refusal(key: dict[str, Any], path: str, origin: str) -> tuple[int, str] | None:
    if path.lower() != "/v2/geocode":
        return 403, "KEY_TYPE"
    if not any(regex.match(origin) for regex in key["regexes"]):
        return 403, "ORIGIN_NOT_ALLOWED"
    return None


async def _count(key: dict[str, Any], ip: str) -> tuple[int, str] | None:
    """One after the other: what a later one refuses, the earlier ones have counted."""
    key_id = str(key["key_id"])
    if not await _rate.hit(RateLimitItemPerSecond(key["rate_limit"]), key_id, ip):
        return 429, "RATE_LIMIT"
    if not await _quota.hit(RateLimitItemPerDay(key["requests_per_day"]), key_id):
        return 429, "DAILY_QUOTA"
    if not await _quota.hit(RateLimitItemPerMonth(key["requests_per_month"]), str(key["account_id"])):
        return 429, "MONTHLY_QUOTA"
    return None


def _refused(status: int, code: str, request_id: str) -> Response:
    body = {"message": "Refused.", "code": code, "request_id": request_id}
    return JSONResponse(body, status, {**CORS, "X-Request-Id": request_id})
