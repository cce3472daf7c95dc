"""Many callers at once on connections that are kept: each gets the answer to its own request."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import httpx

from keys.services import CreatedKey
from tests.deploy.api import Api
from tests.factories import make_key

N_CONNECTIONS = 24
N_REQUESTS = 240


def requests_of(keys: list[CreatedKey]) -> Iterator[tuple[str, int, dict[str, list[str]] | str]]:
    """URIs, each with a number of its own, and what must come of each: a status, and whose it is or the code."""
    for n, key in zip(range(N_REQUESTS), keys * N_REQUESTS, strict=False):
        mine = {"account_ids": [str(key.key.account_id)], "key_ids": [str(key.key.pk)]}
        match n % 4:
            case 0 | 1:
                yield f"/sources/base.json?n={n}&api_key={key.text}", 200, mine
            case 2:
                yield f"/Geocode?n={n}&api_key={key.text}", 403, "KEY_TYPE"
            case _:
                yield f"/nothing?n={n}&api_key={key.text}", 404, "SERVICE_UNKNOWN"


def test_no_answer_reaches_the_wrong_caller(proxy: str, api: Api) -> None:
    wanted = list(requests_of([make_key(type="tiles") for _ in range(6)]))
    # Seeded by the test run, as everything that is random here.
    random.shuffle(wanted)
    answers = asyncio.run(_get_all(proxy, [uri for uri, _, _ in wanted]))
    for (uri, status, whose), answer in zip(wanted, answers, strict=True):
        assert answer.status_code == status
        if isinstance(whose, str):
            assert answer.json()["code"] == whose
            assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        else:
            assert answer.json() == {"target": uri, **whose}
    request_ids = [id for asked in api.asked for id in asked.values("X-Request-Id")]
    assert len(set(request_ids)) == len(api.asked) == sum(status == 200 for _, status, _ in wanted)


async def _get_all(base_url: str, uris: list[str]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=N_CONNECTIONS, max_keepalive_connections=N_CONNECTIONS)
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=60) as client:
        # Begin no more at once than there are connections: httpx is slow to hand out those that many wait for.
        turns = asyncio.Semaphore(N_CONNECTIONS)

        async def get(uri: str) -> httpx.Response:
            async with turns:
                return await client.get(uri)

        return await asyncio.gather(*map(get, uris))
