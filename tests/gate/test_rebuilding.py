"""A store that was emptied counts nothing until its counters are back, as PostgreSQL knows them."""

from __future__ import annotations

import asyncio
import struct
import time
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from pytest_django import Settings
from redis.exceptions import RedisError, ResponseError

from accounts.models import Plan
from billing.budgets import budget_set
from billing.models import Price
from gate import rebuilding
from gate.rebuilding import counters_rebuild
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_number, day_of
from keys.limits import KeyLimits
from keys.models import Service
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import CreatedKey
from stats.ingest import ingest_all
from stats.models import ShardCursor, UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from stats.rollups import usage_roll_up
from stats.stream import open_key, redis_client, shard_of, shard_prefix, stream_key
from tests.factories import make_account, make_event, make_key
from tests.gate.test_counting_script import GEOCODE, count, snapshot
from tests.gate.test_counting_script import store as script_store
from tests.processes import running_gate
from tests.road import push, store


@pytest.fixture(autouse=True)
def connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.rebuilding.close_old_connections", lambda: None)


def empty() -> None:
    """As FLUSHALL would, but for what belongs to other tests."""
    for key in redis_client().scan_iter(f"{settings.REDIS_PREFIX}:{{u*"):
        redis_client().delete(key)


def counters(account_id: int) -> dict[str, tuple[int, ...]]:
    """Every counter of the account's shard, by the last parts of its names."""
    client: Any = redis_client()
    prefix, found = shard_prefix(shard_of(account_id)), {}
    for name in client.scan_iter(f"{prefix}*"):
        if b":day:" not in name and b":month:" not in name:
            continue
        assert 0 < client.ttl(name) <= 40 * 86_400
        for field, packed in client.hgetall(name).items():
            layout = ">I" if b":day:" in name else {b"k": ">IQ", b"u": ">Q"}.get(field[:1], ">IIQ")
            found[f"{name.decode().removeprefix(prefix)} {field.decode()}"] = struct.unpack(layout, packed)
    return found


@pytest.mark.django_db
def test_store_that_has_been_emptied_counts_nothing_and_says_so() -> None:
    count([(snapshot(), GEOCODE, None)])
    redis_client().delete(open_key(0))
    before, n_entries = script_store(), redis_client().xlen(stream_key(0))
    with pytest.raises(ResponseError, match="EMPTIED"):
        count([(snapshot(), GEOCODE, None)], is_open=False)
    assert (script_store(), redis_client().xlen(stream_key(0))) == (before, n_entries)


@pytest.mark.django_db
def test_every_counter_is_written_as_the_sums_say_and_then_the_mark() -> None:
    now = utc_now()
    today = day_of(now, settings.BILLING_ZONE)
    geocode = Service.objects.get(slug="geocode")
    Price.objects.create(service=geocode, price_micro_usd=0, effective_on=date(2020, 1, 2)).tiers.create(
        from_units=2, price_micro_usd=5_000
    )
    account = make_account()
    key, capped = make_key(account), make_key(account, limits=KeyLimits(requests_per_month=9))
    tiles = make_key(account, type="tiles")
    budget_set(account=account, amount_micro_usd=10**6)
    store(
        *(make_event(key, at=now) for _ in range(3)),
        make_event(capped, "trip", at=now, cost_micro_usd=10_000),
        make_event(capped, "place-detail", at=now, units=0, cost_micro_usd=0),
        make_event(tiles, "map-load", at=now, cost_micro_usd=7_000),
        make_event(tiles, "tiles", at=now, units=0, cost_micro_usd=0),
        make_event(key, at=now, outcome=Outcome.RATE_LIMIT),
    )
    # Stored and not rolled up yet.
    push(make_event(key, at=now))
    ingest_all()
    empty()
    n_shards = settings.USAGE_SHARDS
    assert counters_rebuild() == n_shards
    day, month = f"day:{day_number(today)}", f"month:{Month.of(today).number}"
    assert counters(account.pk) == {
        f"{day} {key.key.pk}": (4,),
        f"{day} {capped.key.pk}": (2,),
        f"{day} {tiles.key.pk}": (1,),
        f"{month} {account.pk}": (6, 1, 4 * 5_000 + 17_000),
        f"{month} k{capped.key.pk}": (2, 10_000),
        f"{month} u{account.pk}:{geocode.pk}": (4,),
    }
    assert all(redis_client().exists(open_key(shard)) for shard in range(n_shards))
    cursor = ShardCursor.objects.get(shard=shard_of(account.pk))
    assert cursor.n_rolled_up == cursor.n_records == 9
    assert counters_rebuild() == 0


@pytest.mark.django_db
def test_keys_of_one_lineage_are_counted_together() -> None:
    created, now = make_key(limits=KeyLimits(requests_per_month=9)), utc_now()
    rotation = key_rotate(key=created.key, overlap=Overlap.DAY).rotation
    store(make_event(created, at=now), make_event(CreatedKey(rotation.new, ""), at=now))
    counters_rebuild()
    found = counters(created.key.account_id)
    assert {name.split()[1]: values for name, values in found.items() if "k" in name or "day" in name} == {
        str(created.key.pk): (2,),
        f"k{created.key.pk}": (2, 10_000),
    }


@pytest.mark.django_db
def test_shard_that_is_open_is_left_alone(settings: Settings) -> None:
    settings.USAGE_SHARDS = 3
    account = make_account()
    key = make_key(account)
    store(make_event(key, at=utc_now()))
    counters_rebuild()
    before = counters(account.pk)
    other = (shard_of(account.pk) + 1) % settings.USAGE_SHARDS
    redis_client().delete(open_key(other))
    store(make_event(key, at=utc_now()))
    assert counters_rebuild() == 1
    assert counters(account.pk) == before


@pytest.mark.django_db
def test_events_that_still_wait_in_the_stream_are_counted_too() -> None:
    account = make_account()
    push(make_event(make_key(account), at=utc_now()))
    counters_rebuild()
    month = Month.of(day_of(utc_now(), settings.BILLING_ZONE)).number
    assert counters(account.pk)[f"month:{month} {account.pk}"] == (1, 0, 5_000)
    assert redis_client().xlen(stream_key(shard_of(account.pk))) == 0


@pytest.mark.django_db
def test_store_emptied_once_more_meanwhile_stays_closed_until_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account()
    store(make_event(make_key(account), at=utc_now()))
    empty()

    def emptied_amid(days: list[date]) -> Any:
        yield from real(days)
        empty()

    real = rebuilding._counters
    monkeypatch.setattr(rebuilding, "_counters", emptied_amid)
    with pytest.raises(RedisError, match="emptied"):
        counters_rebuild()
    assert not redis_client().exists(open_key(shard_of(account.pk)))
    monkeypatch.setattr(rebuilding, "_counters", real)
    assert counters_rebuild() == settings.USAGE_SHARDS
    assert len(counters(account.pk)) == 2


@pytest.mark.parametrize("mode", ["closed", "open"])
def test_store_emptied_under_load_gives_nothing_away_and_refuses_nothing_wrongly(
    live: None, tmp_path: Path, mode: str
) -> None:
    """What was ingested stays counted to the unit; what was not is lost, and passes once more. Nothing is doubled."""
    Plan.objects.create(slug="tight", name="Tight", rate_limit=1_000, requests_per_month=400, credit_micro_usd=10**9)
    key = make_key(make_account(plan="tight"), limits=KeyLimits(requests_per_day=390))
    path = f"/geocode?address=x&api_key={key.text}"
    prefix = settings.REDIS_PREFIX
    start = partial(running_gate, redis_prefix=prefix, GATE_WHEN_STORE_FAILS=mode, GATE_SPOOL_DIR=str(tmp_path))
    with start() as one, start() as two:
        urls = [one.base_url + path, two.base_url + path]
        asyncio.run(ask(urls, 150))
        ingest_all()
        n_kept = UsageRecord.objects.count()
        before = asyncio.run(ask(urls, 50))  # Never ingested: lost with the stream.
        assert (n_kept, before.count(200)) == (150, 50)
        redis_client().delete(*redis_client().keys(f"{prefix}:*"))
        statuses: list[int] = []
        deadline = time.monotonic() + 20
        while statuses.count(429) < 20 and time.monotonic() < deadline:
            statuses += asyncio.run(ask(urls, 40))
            if mode == "open":
                ingest_all()
        settle(one.base_url, two.base_url)
    assert set(statuses) <= {200, 429, *((503,) if mode == "closed" else ())}
    while ingest_all() or usage_roll_up():
        pass
    allowed = UsageRecord.objects.filter(outcome=OUTCOMES[Outcome.ALLOWED].number).count()
    assert allowed == n_kept + statuses.count(200)
    # An open gate decides by itself until the counters are back, and tells them afterwards of what it let pass.
    assert allowed == 390 or (mode == "open" and allowed > 390)


async def ask(urls: list[str], n: int) -> list[int]:
    async with httpx.AsyncClient(timeout=30) as client:
        answers = await asyncio.gather(*(client.get(urls[i % len(urls)]) for i in range(n)))
    return [answer.status_code for answer in answers]


def settle(*base_urls: str) -> None:
    """Returns when no gate has anything spooled any more."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        texts = [httpx.get(f"{url}/metrics", timeout=5).text for url in base_urls]
        waiting = [line for text in texts for line in text.splitlines() if "spool_events" in line and line[0] != "#"]
        if all(line.split()[-1] in ("0", "0.0") for line in waiting):
            return
        time.sleep(0.1)
    raise AssertionError("Something waits in a spool.")
