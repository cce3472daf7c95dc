from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.gates import GONE_AFTER_S
from accounts.receipts import KEPT, Receipt, receipt_key, receipt_open, receipt_read, receipts_key
from stats.stream import redis_client
from tests.receipts import gate_confirms, gate_runs, gate_stops

pytestmark = pytest.mark.django_db


def read(digest: str = "d1") -> Receipt:
    receipt = receipt_read(digest)
    assert receipt is not None
    return receipt


def ids(confirmations: list) -> list[str]:  # type: ignore[type-arg]
    return [each.gate.id for each in confirmations]


def test_receipt_counts_the_gates_that_ran_when_it_was_asked_for() -> None:
    gate_runs("a")
    gate_runs("b")
    gate_runs("z", ago_s=GONE_AFTER_S + 1)
    receipt_open("d1")
    gate_runs("c")
    gate_confirms("c", "d1")
    receipt = read()
    assert (ids(receipt.confirmed), ids(receipt.missing), ids(receipt.gone)) == ([], ["a", "b"], [])
    assert (receipt.n_counted, receipt.confirmed_at, receipt.taken_ms) == (2, None, None)
    gate_confirms("b", "d1")
    gate_confirms("a", "d1")
    receipt = read()
    assert (ids(receipt.confirmed), receipt.missing, receipt.n_counted) == (["a", "b"], [], 2)
    last, first = (each.confirmed_at for each in receipt.confirmations)
    assert first is not None and last is not None
    assert receipt.asked_at <= first <= last == receipt.confirmed_at
    assert receipt.taken_ms == (last - receipt.asked_at) / timedelta(milliseconds=1)


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_gate_that_ends_without_confirming_does_not_count_and_is_named(end: str) -> None:
    gate_runs("a")
    gate_runs("b")
    receipt_open("d1")
    gate_confirms("a", "d1")
    if end == "stopped":
        gate_stops("b")
    else:
        gate_runs("b", ago_s=GONE_AFTER_S + 1)
    receipt = read()
    assert (ids(receipt.confirmed), receipt.missing, ids(receipt.gone), receipt.n_counted) == (["a"], [], ["b"], 1)


def test_confirmation_outlives_its_gate() -> None:
    gate_runs("a")
    receipt_open("d1")
    gate_confirms("a", "d1")
    gate_stops("a")
    assert (ids(read().confirmed), read().n_counted) == (["a"], 1)


def test_longest_memory_of_the_gates_says_when_the_key_is_refused_whatever_they_heard() -> None:
    gate_runs("a", ttl_s=30)
    gate_runs("b", ttl_s=90)
    receipt_open("d1")
    assert read().forced_at == read().asked_at + timedelta(seconds=90)


def test_receipt_asked_for_anew_takes_the_place_of_the_old_one() -> None:
    gate_runs("a")
    receipt_open("d1")
    gate_confirms("a", "d1")
    receipt_open("d1")
    assert (ids(read().confirmed), ids(read().missing)) == ([], ["a"])


def test_receipts_are_kept_for_days_and_no_longer() -> None:
    redis_client().zadd(receipts_key(), {"old": 0})
    receipt_open("d1")
    assert 0 < redis_client().ttl(receipt_key("d1")) <= KEPT.total_seconds()
    assert redis_client().zrange(receipts_key(), 0, -1) == [b"d1"]


def test_confirmation_that_nobody_asked_for_is_no_receipt() -> None:
    gate_confirms("a", "d1")
    assert receipt_read("d1") is None
    assert receipt_read("d2") is None
