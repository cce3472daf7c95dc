"""The replay script on a real Redis: a batch is told once, and never after the counting script has counted it."""

from __future__ import annotations

import struct
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from django.conf import settings

from billing.pricing import Tier, Tiers
from gate.calendar import TTLS
from gate.charges import Charge, Counted, pack_charges
from gate.snapshot import OwnLimits, ServicePrice
from gate.specs import Kind
from gate.spool_frames import Frame, Sent
from stats.events import Replay, StreamEntry, decode_entry
from stats.outcomes import Outcome
from stats.stream import redis_client, shard_prefix, stream_key
from tests.gate.frames import AT, DAY, MONTH, frame
from tests.gate.test_counting_script import GEOCODE, count, snapshot, today
from tests.shards import shards_open

pytestmark = pytest.mark.django_db

CONNECTION = "0123456789abcdef"


def tell(frame: Frame, *, ends_at: int, before: int = -1, file: str = "f1") -> bytes:
    sent = frame.sent or Sent("", 0)
    shards_open()
    answer = redis_client().eval(
        files("gate").joinpath("replay.lua").read_text(),
        1,
        stream_key(frame.shard),
        file,
        before,
        ends_at,
        sent.connection,
        sent.number,
        frame.at_us,
        len(frame.lines),
        b"\n".join(frame.lines),
        pack_charges(frame.charges),
        TTLS,
    )
    assert isinstance(answer, bytes)
    return answer


def entries() -> list[StreamEntry]:
    found: Any = redis_client().xrange(stream_key(0))
    return [decode_entry(fields) for _, fields in found]


def n_events() -> int:
    return sum(len(entry.events) for entry in entries())


def counters() -> dict[str, tuple[int, ...]]:
    """The counters of days, and of months with their credit."""
    client: Any = redis_client()
    prefix = shard_prefix(0)
    days = client.hgetall(f"{prefix}day:{DAY}")
    months = client.hgetall(f"{prefix}month:{MONTH}")
    return {
        **{f"day of {key.decode()}": struct.unpack(">I", packed) for key, packed in days.items()},
        **{f"month of {account.decode()}": struct.unpack(">IIQ", packed) for account, packed in months.items()},
    }


def counted(number: int, connection: str = CONNECTION) -> None:
    """The counting script has written down the last call that it applied."""
    redis_client().set(f"{shard_prefix(0)}b:{connection}", number)


def test_batch_is_one_entry_of_its_own_time_and_charges_its_own_day() -> None:
    redis_client().set(f"{shard_prefix(0)}said", 40)
    assert tell(frame(3), ends_at=100) == b"done"
    assert tell(frame(2, sent=Sent(CONNECTION, 1)), before=100, ends_at=200) == b"done"

    first, second = entries()
    assert {event.at for event in (*first.events, *second.events)} == {AT}
    assert [(entry.n_before, len(entry.events), entry.replay) for entry in (first, second)] == [
        (40, 3, Replay.SURE),
        (43, 2, Replay.UNSURE),
    ]
    assert counters() == {"day of 7": (5,), "month of 3": (5, 0, 25_000)}
    names = list(redis_client().scan_iter(f"{settings.REDIS_PREFIX}:*"))
    lasting = {name for name in names if redis_client().ttl(name) < 0 and not name.endswith(b"open")}
    assert lasting == {stream_key(0).encode(), f"{shard_prefix(0)}said".encode()}


def test_batch_told_again_changes_nothing() -> None:
    batches = [frame(), frame(), frame()]
    for n, batch in enumerate(batches):
        tell(batch, ends_at=100 * (n + 1))
    before = (entries(), counters())
    assert [tell(batch, ends_at=100 * (n + 1)) for n, batch in enumerate(batches)] == [b"known"] * 3
    assert (entries(), counters()) == before
    assert tell(frame(), ends_at=100, file="f2") == b"done"


def test_batch_behind_one_that_failed_waits_for_it() -> None:
    assert tell(frame(), ends_at=100) == b"done"
    assert tell(frame(), before=200, ends_at=300) == b"gap"
    assert n_events() == 1
    assert tell(frame(), ends_at=200) == b"done"
    assert tell(frame(), before=200, ends_at=300) == b"done"


def test_store_that_forgot_its_position_takes_what_begins_a_pipeline_and_nothing_else() -> None:
    assert tell(frame(), before=100, ends_at=200) == b"gap"
    assert tell(frame(), ends_at=200) == b"done"


@pytest.mark.parametrize(("last", "answers"), [(0, [b"done"] * 3), (4, [b"counted", b"counted", b"done"])])
def test_call_whose_answer_was_lost_is_told_only_if_it_was_not_counted(last: int, answers: list[bytes]) -> None:
    if last:
        counted(last)
    batches = [frame(sent=Sent(CONNECTION, number)) for number in (3, 4, 5)]
    assert [tell(batch, ends_at=100 * (n + 1)) for n, batch in enumerate(batches)] == answers
    assert n_events() == answers.count(b"done")
    assert counters().get("day of 7", (0,)) == (answers.count(b"done"),)


def test_order_of_unanswered_calls_does_not_matter() -> None:
    counted(4)
    batches = [frame(sent=Sent(CONNECTION, number)) for number in (5, 3, 6, 4)]
    answers = [tell(batch, ends_at=100 * (n + 1)) for n, batch in enumerate(batches)]
    assert answers == [b"done", b"counted", b"done", b"counted"]


def test_connection_is_closed_to_the_counting_script_by_the_first_question_about_it() -> None:
    counted(4)
    tell(frame(sent=Sent(CONNECTION, 5)), ends_at=100)
    assert redis_client().get(f"{shard_prefix(0)}b:{CONNECTION}") == b"x4"
    tell(frame(sent=Sent("f" * 16, 1)), ends_at=200)
    assert redis_client().get(f"{shard_prefix(0)}b:{'f' * 16}") == b"x0"


def test_counter_begins_at_what_the_rollups_said_where_the_store_has_none() -> None:
    charges = (
        Charge(Kind.REQUEST, 3, 7, 2, 10_000, DAY, MONTH, 100, 2_000, 50, 900_000),
        Charge(Kind.MAP_LOAD, 3, 8, 1, 7_000, DAY, MONTH, 0, 2_000, 50, 900_000),
        Charge(Kind.REQUEST, 2**40, 2**50, 1, 5_000, DAY, MONTH, 0, 0, 0, 0),
    )
    redis_client().hset(f"{shard_prefix(0)}day:{DAY}", "8", struct.pack(">I", 30))
    tell(replace(frame(3), charges=charges), ends_at=100)
    assert counters() == {
        "day of 7": (102,),
        "day of 8": (31,),
        f"day of {2**50}": (1,),
        "month of 3": (2_002, 51, 917_000),
        f"month of {2**40}": (1, 0, 5_000),
    }


def test_counters_that_it_adds_to_are_those_of_the_counting_script() -> None:
    day, month = today()
    key = snapshot(requests_per_day=10, own=OwnLimits(10, 35_000))
    count([(key, GEOCODE, None)] * 2)
    charge = Charge(Kind.REQUEST, key.account_id, key.key_id, 3, 15_000, day, month, 0, 0, 0, 0)
    own = charge._replace(kind=Counted.KEY_MONTH)
    tell(replace(frame(3), charges=(charge, own)), ends_at=100)
    verdict, last, refused = count([(key, GEOCODE, None)] * 3)
    assert (verdict.left_day, verdict.left_month, verdict.left_own) == (4, 29_994, 4)
    assert (last.outcome, refused.outcome) == (Outcome.ALLOWED, Outcome.KEY_BUDGET)


def test_units_that_it_adds_to_are_those_of_the_counting_script() -> None:
    day, month = today()
    key = snapshot(tiered={GEOCODE.id: ServicePrice(Tiers((Tier(0, 9), Tier(5, 8))))})
    count([(key, GEOCODE, None)] * 2)
    charge = Charge(Counted.UNITS, key.account_id, GEOCODE.id, 2, 0, day, month, 0, 0, 0, 0)
    tell(replace(frame(2), charges=(charge,)), ends_at=100)
    count([(key, GEOCODE, None)] * 2)
    assert [event.cost_micro_usd for entry in entries() for event in entry.events] == [9, 9, 5_000, 5_000, 9, 8]


@pytest.mark.parametrize(("stored", "then"), [(0, 9), (3, 9), (30, 32)])
def test_own_month_goes_on_from_the_store_or_the_rollups_whichever_knows_more(stored: int, then: int) -> None:
    name = f"{shard_prefix(0)}month:{MONTH}"
    if stored:
        redis_client().hset(name, "k7", struct.pack(">IQ", stored, stored * 1_000))
    charge = Charge(Counted.KEY_MONTH, 3, 7, 2, 2_000, DAY, MONTH, 0, 7, 0, 7_000)
    tell(replace(frame(2), charges=(charge,)), ends_at=100)
    packed: Any = redis_client().hget(name, "k7")
    assert struct.unpack(">IQ", packed) == (then, then * 1_000)
