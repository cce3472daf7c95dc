"""A running gate whose Redis is stopped, frozen, killed or emptied: closed it refuses, open it loses and doubles
nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from accounts.models import Plan
from keys.services import CreatedKey
from stats.ingest import ingest_all
from stats.models import ShardCursor, UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from stats.stream import redis_client
from tests.factories import make_account, make_key
from tests.own_redis import OwnRedis
from tests.processes import GateProcess, running_gate

WAIT_S = 30


@pytest.fixture
def own_redis(live: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnRedis]:
    """A Redis that the test and its gates use, and nobody else."""
    own = OwnRedis()
    with monkeypatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", own.url)
        yield own
    own.close()


@pytest.fixture
def key(live: None) -> CreatedKey:
    """A key whose limits are in nobody's way but the day's, which is 40. Its list is for report only."""
    Plan.objects.create(
        slug="forty", name="Forty", rate_limit=10_000, requests_per_day=40, credit_micro_usd=1_000_000_000
    )
    return make_key(make_account(plan="forty"), restrictions=["example.com"], restrictions_mode="report_only")


class Caller:
    """Asks on one connection and remembers what each of its requests was told: the status by the request's id."""

    def __init__(self, gate: GateProcess, client: httpx.Client, key_text: str) -> None:
        self.gate = gate
        self._client = client
        self._headers = {"X-Original-URI": f"/geocode?address=x&api_key={key_text}"}
        self.told: dict[str, int] = {}

    def ask(self, n: int = 1) -> list[int]:
        return [self.ask_once().status_code for _ in range(n)]

    def ask_once(self) -> httpx.Response:
        answer = self._client.get("/_gate/auth", headers=self._headers)
        self.told[answer.headers["X-Request-Id"]] = answer.status_code
        return answer

    def health(self) -> int:
        return self._client.get("/_gate/healthz").status_code

    def recorded(self, *statuses: int) -> dict[str, int]:
        """Those that were told one of `statuses`, which all have a record."""
        return {request_id: status for request_id, status in self.told.items() if status in statuses}


@contextmanager
def calling(own: OwnRedis, key: CreatedKey, folder: Path, mode: str = "open", **more: str) -> Iterator[Caller]:
    """A caller with `key` at a gate that uses the test's own Redis and spools in `folder`."""
    variables = {
        "REDIS_URL": own.url,
        "STORE_TIMEOUT_MS": "300",
        "GATE_WHEN_STORE_FAILS": mode,
        "GATE_SPOOL_DIR": str(folder / "spool"),
        **more,
    }
    with (
        running_gate(redis_prefix=settings.REDIS_PREFIX, waits_for_health=True, **variables) as gate,
        httpx.Client(base_url=gate.base_url, timeout=10) as client,
    ):
        yield Caller(gate, client, key.text)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def is_replayed(folder: Path) -> bool:
    return not list((folder / "spool").iterdir())


def stored() -> dict[str, int]:
    """The status of every record by its request id; fails where two records have the same."""
    ingest_all()
    rows = [
        (str(request_id), number) for request_id, number in UsageRecord.objects.values_list("request_id", "outcome")
    ]
    statuses = {facts.number: facts.status for facts in OUTCOMES.values()}
    assert len(dict(rows)) == len(rows), "an event has two records"
    return {request_id: statuses[number] for request_id, number in rows}


def n_lost() -> int:
    return sum(ShardCursor.objects.values_list("n_lost", flat=True))


def test_closed_gate_refuses_while_redis_is_stopped_and_goes_on_afterwards(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey
) -> None:
    with calling(own_redis, key, tmp_path, "closed") as caller:
        assert caller.ask(3) == [200] * 3
        own_redis.stop()
        assert caller.ask(5) == [503] * 5
        answer = caller.ask_once()
        assert (answer.json()["code"], answer.headers["Retry-After"]) == ("UNAVAILABLE", "1")
        assert caller.health() == 503
        own_redis.start()
        wait_for(lambda: caller.ask() == [200])
        assert stored() == caller.recorded(200)
        assert not (tmp_path / "spool").exists()


def test_closed_gate_refuses_while_redis_is_frozen_and_goes_on_afterwards(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey
) -> None:
    with calling(own_redis, key, tmp_path, "closed") as caller:
        assert caller.ask(3) == [200] * 3
        with own_redis.frozen():
            assert caller.ask(20) == [503] * 20
        wait_for(lambda: caller.ask() == [200])
        # What was sent before it was known that nobody answers may have been counted when Redis went on.
        surplus = {request_id for request_id in stored() if caller.told[request_id] == 503}
        assert stored().keys() - surplus == caller.recorded(200).keys()
        assert len(surplus) <= 1


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_open_gate_holds_the_limit_through_an_outage_and_every_event_is_one_record(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey, how: str
) -> None:
    with calling(own_redis, key, tmp_path) as caller:
        assert caller.ask(15) == [200] * 15
        own_redis.stop() if how == "stopped" else own_redis.kill()
        assert caller.ask(30) == [200] * 25 + [429] * 5
        answer = caller.ask_once()
        assert answer.json()["code"] == "DAILY_QUOTA"
        assert '"day";r=0;' in answer.headers["RateLimit"]
        assert caller.health() == 200
        own_redis.start()
        wait_for(lambda: is_replayed(tmp_path))
        # The store decides again, and has been told what was used meanwhile.
        assert caller.ask(5) == [429] * 5
        assert stored() == caller.told
        assert (len(caller.told), n_lost()) == (51, 0)
        assert not UsageRecord.objects.filter(would_refuse=False).exists()


def test_open_gate_whose_redis_freezes_in_the_middle_of_calls_loses_and_doubles_nothing(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey
) -> None:
    """Calls that were sent and not answered are counted by Redis when it goes on, or replayed, and never both."""
    with calling(own_redis, key, tmp_path) as caller:
        for _ in range(3):
            assert caller.ask(3) == [200] * 3
            with own_redis.frozen():
                assert caller.ask(3) == [200] * 3
            wait_for(lambda: is_replayed(tmp_path))
        assert stored() == caller.told
        assert (len(caller.told), n_lost()) == (18, 0)
        assert set(caller.ask(22)) == {200}
        assert caller.ask() == [429]


def test_redis_that_answers_later_than_the_budget_counts_nothing_twice(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey
) -> None:
    with calling(own_redis, key, tmp_path) as caller:
        assert caller.ask(3) == [200] * 3
        for _ in range(2):
            redis_client().client_pause(1_000)
            assert caller.ask(4) == [200] * 4
            wait_for(lambda: is_replayed(tmp_path))
        assert stored() == caller.told
        assert (len(caller.told), n_lost()) == (11, 0)


def test_events_of_an_open_gate_that_was_killed_are_told_by_the_next(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey
) -> None:
    with calling(own_redis, key, tmp_path) as caller:
        assert caller.ask(4) == [200] * 4
        own_redis.kill()
        assert caller.ask(6) == [200] * 6
        os.kill(caller.gate.process.pid, signal.SIGKILL)
    own_redis.start()
    # The next gate may be closed: what was spooled is told all the same.
    with calling(own_redis, key, tmp_path, "closed"):
        wait_for(lambda: is_replayed(tmp_path))
    assert stored() == caller.told
    assert len(caller.told) == 10


def test_redis_that_comes_back_empty_is_told_what_was_spooled_once(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey
) -> None:
    with calling(own_redis, key, tmp_path) as caller:
        assert caller.ask(5) == [200] * 5
        ingest_all()
        own_redis.stop()
        assert caller.ask(10) == [200] * 10
        own_redis.empty()
        wait_for(lambda: is_replayed(tmp_path))
        assert stored() == caller.told
        assert len(caller.told) == 15


@pytest.mark.parametrize(("folder", "more"), [("/proc", {}), ("", {"GATE_SPOOL_MAX_BYTES": "4096"})])
def test_open_gate_that_cannot_spool_refuses_and_keeps_what_it_has_answered(
    own_redis: OwnRedis, tmp_path: Path, key: CreatedKey, folder: str, more: dict[str, str]
) -> None:
    """A folder that nobody can write to, and one that is full."""
    with calling(own_redis, key, Path(folder) if folder else tmp_path, **more) as caller:
        assert caller.ask(2) == [200] * 2
        own_redis.stop()
        statuses = caller.ask(38)
        n_spooled = statuses.count(200)
        assert statuses == [200] * n_spooled + [503] * (38 - n_spooled)
        assert n_spooled < 30 and (n_spooled > 5 or folder)
        own_redis.start()
        if not folder:
            wait_for(lambda: is_replayed(tmp_path))
        wait_for(lambda: caller.ask() == [200])
        assert stored() == caller.recorded(200)


def test_request_that_memory_refuses_is_refused_as_itself_and_recorded_later(
    own_redis: OwnRedis, tmp_path: Path, live: None
) -> None:
    restricted = make_key(restrictions=["https://example.com/*"])
    with calling(own_redis, restricted, tmp_path) as caller:
        own_redis.stop()
        assert caller.ask(2) == [403] * 2
        own_redis.start()
        wait_for(lambda: is_replayed(tmp_path))
        assert stored() == caller.told
        assert UsageRecord.objects.filter(outcome=OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number).count() == 2
