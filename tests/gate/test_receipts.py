"""Running gates confirm what they have dropped; what they did not hear of, they catch up with."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from django.conf import settings
from django.db import connection

from accounts.gates import gates_known
from accounts.models import Account
from accounts.receipts import Receipt, receipt_read
from keys.key_text import make_key_text
from keys.models import ApiKey, Service
from keys.services import CreatedKey, key_revoke
from stats.stream import redis_client
from tests.factories import T0, make_key
from tests.processes import GateProcess, running_gate


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


@contextmanager
def gates(n: int, *, ttl_s: int = 30) -> Iterator[list[GateProcess]]:
    """So many gates of the test's own, which have announced themselves."""
    if n == 0:
        yield []
        return
    with (
        running_gate(redis_prefix=settings.REDIS_PREFIX, KEY_CACHE_TTL_S=str(ttl_s)) as gate,
        gates(n - 1, ttl_s=ttl_s) as others,
    ):
        if not others:
            wait_until(lambda: len(gates_known()) >= 1)
        yield [gate, *others]


def status(gate: GateProcess, key: CreatedKey) -> int:
    return gate.get(f"/Geocode?address=x&api_key={key.text}").status_code


def code(gate: GateProcess, key: CreatedKey) -> str:
    """Asked for another service, which nobody switches off."""
    answer: str = gate.get(f"/v2/geocode?address=x&api_key={key.text}").json().get("code", "")
    return answer


def cut_subscriptions() -> int:
    """As a broken connection would, for every gate at this Redis; returns how many that were."""
    n_cut: int = redis_client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
    return n_cut


def receipt_of(key: CreatedKey) -> Receipt:
    receipt = receipt_read(key.key.lookup_digest)
    assert receipt is not None
    return receipt


def n_confirmed(key: CreatedKey) -> int:
    return len(receipt_of(key).confirmed)


def test_every_gate_confirms_a_revocation_and_refuses_from_then_on(live: None) -> None:
    with gates(2) as (one, two):
        wait_until(lambda: len(gates_known()) == 2)
        key = make_key()
        assert (status(one, key), status(two, key)) == (200, 200)
        key_revoke(key=key.key)
        wait_until(lambda: n_confirmed(key) == 2)
        assert (status(one, key), status(two, key)) == (403, 403)
        receipt = receipt_of(key)
        assert {each.gate.pid for each in receipt.confirmed} == {one.process.pid, two.process.pid}
        assert (receipt.n_counted, receipt.missing, receipt.gone) == (2, [], [])
    assert gates_known() == {}, "a gate that stops takes its entry away"


def test_gate_that_stands_still_is_missed_and_confirms_when_it_goes_on(live: None) -> None:
    with gates(1) as (gate,):
        key = make_key()
        assert status(gate, key) == 200
        gate.process.send_signal(signal.SIGSTOP)
        try:
            key_revoke(key=key.key)
            assert [each.gate.pid for each in receipt_of(key).missing] == [gate.process.pid]
        finally:
            gate.process.send_signal(signal.SIGCONT)
        wait_until(lambda: n_confirmed(key) == 1)
        assert status(gate, key) == 403


def test_gate_whose_subscription_was_cut_catches_up_with_what_it_missed(live: None) -> None:
    with gates(1, ttl_s=3_600) as (gate,):
        key = make_key()
        assert status(gate, key) == 200
        gate.process.send_signal(signal.SIGSTOP)
        try:
            assert cut_subscriptions() >= 1
            key_revoke(key=key.key)
        finally:
            gate.process.send_signal(signal.SIGCONT)
        wait_until(lambda: n_confirmed(key) == 1)
        assert status(gate, key) == 403


def end_in_silence(keys: dict[str, CreatedKey]) -> None:
    ApiKey.objects.filter(pk=keys["key"].key.pk).update(disabled_at=T0)
    Account.objects.filter(pk=keys["account"].key.account_id).update(is_active=False)
    Service.objects.filter(slug="geocode").update(is_active=False)


def test_gate_whose_subscription_was_cut_doubts_all_that_it_remembers(live: None) -> None:
    """As if every line had been lost while the connection was away."""
    with gates(1, ttl_s=3_600) as (gate,):
        keys = {"key": make_key(), "account": make_key(), "service": make_key()}
        assert [status(gate, key) for key in keys.values()] == [200, 200, 200]
        end_in_silence(keys)
        assert [status(gate, key) for key in keys.values()] == [200, 200, 200]
        cut_subscriptions()
        wait_until(lambda: status(gate, keys["service"]) == 404)
        wait_until(lambda: [code(gate, keys[name]) for name in ("key", "account")] == ["KEY_INVALID"] * 2)


def test_change_that_no_gate_heard_of_holds_after_the_time_to_live(live: None) -> None:
    with gates(1, ttl_s=1) as (gate,):
        keys = {"key": make_key(), "account": make_key(), "service": make_key()}
        assert [status(gate, key) for key in keys.values()] == [200, 200, 200]
        end_in_silence(keys)
        wait_until(lambda: status(gate, keys["service"]) == 404)
        wait_until(lambda: [code(gate, keys[name]) for name in ("key", "account")] == ["KEY_INVALID"] * 2)


def last_query_at() -> object:
    """When PostgreSQL last worked for another session than ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(state_change) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()


def n_scripts() -> int:
    calls = redis_client().info("commandstats").get("cmdstat_evalsha", {"calls": 0})
    return int(calls["calls"])


def test_mistyped_keys_reach_neither_database_nor_store_and_others_once_a_second(gate: GateProcess) -> None:
    texts = [make_key_text("rest", lambda digits, n=n: digits[n % 62]) for n in range(30)]  # type: ignore[misc]
    mistyped = [text[:-1] + ("a" if text[-1] != "a" else "b") for text in texts]
    with httpx.Client(base_url=gate.base_url) as caller:
        before = (last_query_at(), n_scripts())
        answers = [caller.get("/Geocode", params={"api_key": text}) for text in mistyped]
        assert {answer.json()["code"] for answer in answers} == {"KEY_INVALID"}
        assert (last_query_at(), n_scripts()) == before

        assert caller.get("/Geocode", params={"api_key": texts[0]}).json()["code"] == "KEY_INVALID"
        asked = last_query_at()
        assert asked != before[0]
        assert caller.get("/Geocode", params={"api_key": texts[0]}).status_code == 403
        assert (last_query_at(), n_scripts()) == (asked, before[1])
