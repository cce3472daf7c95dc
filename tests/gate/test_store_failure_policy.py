"""What is answered and what is kept when the store gives no verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from billing.pricing import Tier, Tiers
from gate.charges import Charge, Counted
from gate.local_limits import Asked, LocalLimits
from gate.snapshot import Credit, KeySnapshot, OwnLimits, ServicePrice, Used
from gate.specs import Kind, Verdict
from gate.spool import Spool
from gate.spool_frames import Frame, Placed, Sent
from gate.store_failure import Calls, StoreFailure, WhenStoreFails
from stats.outcomes import Outcome
from tests.factories import T0
from tests.gate.frames import AT_US, DAY, MONTH, line
from tests.gate.snapshots import SNAPSHOT
from tests.gate.test_counting_script import GEOCODE, MAP_LOAD, SEARCH, TILE
from tests.gate.test_local_limits import ZONE

KEY = replace(SNAPSHOT, used=Used(DAY, 10, MONTH, 20, 30, 40), credit=Credit(MONTH, 10**9, 0, 0))
EVENT = line().split(b"\t", 2)[2]
ASKED = Asked(KEY, GEOCODE, None, b"203.0.113.7", EVENT)
MAPS = replace(KEY, key_id=8, type="tiles")
SEARCHER = replace(KEY, key_id=9, prices={SEARCH.id: 3_000})


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", prefix="maps", max_bytes=100_000)
    yield spool
    spool.close()


def policy(spool: Spool, mode: WhenStoreFails = WhenStoreFails.OPEN) -> StoreFailure:
    return StoreFailure(mode, spool, LocalLimits(ZONE), now=lambda: T0, clock=lambda: 100.0)


def outcomes(said: tuple[int, list[Verdict | None]]) -> list[Outcome | None]:
    now_us, verdicts = said
    assert now_us == AT_US
    return [verdict and verdict.outcome for verdict in verdicts]


def spooled(spool: Spool) -> list[Frame]:
    return [part.frame for file in spool.take() for part in file.parts() if isinstance(part, Placed)]


def asked(n: int, key: KeySnapshot = KEY) -> list[Asked]:
    return [ASKED._replace(key=key, caller=b"198.51.100.%d" % number) for number in range(n)]


def test_closed_gate_decides_nothing_and_keeps_nothing(spool: Spool) -> None:
    assert outcomes(policy(spool, WhenStoreFails.CLOSED).verdicts(0, asked(3), None)) == [None] * 3
    assert spooled(spool) == []


def test_open_gate_decides_by_itself_and_keeps_every_event_with_what_was_used(spool: Spool) -> None:
    key = replace(KEY, requests_per_day=12)
    batch = [
        *asked(3, key),
        ASKED._replace(key=key, refused=Outcome.KEY_REVOKED),
        ASKED._replace(key=MAPS, service=MAP_LOAD, caller=b"8:203.0.113.7"),
        ASKED._replace(key=MAPS, service=TILE, caller=b"8/map:203.0.113.7"),
        *[ASKED._replace(key=SEARCHER, service=SEARCH, caller=b"9:203.0.113.7", token=b"a")] * 2,
    ]
    sent = Sent("0123456789abcdef", 4)

    verdicts = policy(spool).verdicts(3, batch, sent)

    said = [Outcome.ALLOWED] * 2 + [Outcome.DAILY_QUOTA, Outcome.KEY_REVOKED] + [Outcome.ALLOWED] * 4
    assert outcomes(verdicts) == said
    (frame,) = spooled(spool)
    # The last is covered by the session that the one before it began.
    begins = (b"0\t1", b"0\t1", b"9\t0", b"3\t0", b"0\t1", b"0\t1", b"0\t1", b"0\t0")
    assert frame == Frame(
        3,
        AT_US,
        tuple(b"%b\t%b" % (begin, EVENT) for begin in begins),
        (
            Charge(Kind.REQUEST, 3, 7, 2, 10_000, DAY, MONTH, 10, 20, 30, 40),
            Charge(Kind.MAP_LOAD, 3, 8, 1, 7_000, DAY, MONTH, 10, 20, 30, 40),
            Charge(Kind.REQUEST, 3, 9, 2, 3_000, DAY, MONTH, 10, 20, 30, 40),
        ),
        sent,
    )


def test_key_with_limits_of_its_own_has_a_charge_of_its_own_besides(spool: Spool) -> None:
    used = Used(DAY, 10, MONTH, 20, 30, 40, n_key_this_month=5, key_spent_micro_usd=25_000)
    key = replace(KEY, own=OwnLimits(7, 1_000_000), used=used)
    said = outcomes(policy(spool).verdicts(3, asked(3, key), None))
    assert said == [Outcome.ALLOWED] * 2 + [Outcome.MONTHLY_QUOTA]
    (frame,) = spooled(spool)
    assert frame.charges == (
        Charge(Counted.REQUEST, 3, 7, 2, 10_000, DAY, MONTH, 10, 20, 30, 40),
        Charge(Counted.KEY_MONTH, 3, 7, 2, 10_000, DAY, MONTH, 0, 5, 0, 25_000),
    )


def test_request_priced_by_volume_tells_its_cost_and_has_a_charge_of_its_units(spool: Spool) -> None:
    matrix = replace(GEOCODE, unit="element")
    tiers = {matrix.id: ServicePrice(Tiers((Tier(0, 100), Tier(10, 1))))}
    key = replace(KEY, tiered=tiers, used=Used(DAY, 0, MONTH, 0, 0, 0, units={matrix.id: 4}))
    batch = [one._replace(service=matrix, units=4) for one in asked(2, key)]
    policy(spool).verdicts(3, batch, None)
    (frame,) = spooled(spool)
    assert frame.lines == (b"0\t1:400\t%b" % EVENT, b"0\t1:202\t%b" % EVENT)
    assert frame.charges == (
        Charge(Counted.REQUEST, 3, 7, 2, 602, DAY, MONTH, 0, 0, 0, 0),
        Charge(Counted.UNITS, 3, matrix.id, 8, 0, DAY, MONTH, 0, 4, 0, 0),
    )


def test_batch_that_cannot_be_spooled_is_refused_and_counts_against_nothing(tmp_path: Path) -> None:
    now = 100.0
    (tmp_path / "spool").write_text("no folder")
    spool = Spool(tmp_path / "spool", prefix="maps", max_bytes=100_000, clock=lambda: now)
    gate, key = policy(spool), replace(KEY, requests_per_day=13)
    assert outcomes(gate.verdicts(0, asked(3, key), None)) == [None] * 3
    (tmp_path / "spool").unlink()
    now += 10
    assert outcomes(gate.verdicts(0, asked(4, key), None)) == [Outcome.ALLOWED] * 3 + [Outcome.DAILY_QUOTA]
    assert (spool.n_failures, spool.n_waiting) == (1, 4)
    spool.close()


def test_local_counts_end_when_the_store_has_been_told(spool: Spool) -> None:
    gate, key = policy(spool), replace(KEY, requests_per_day=11)
    assert outcomes(gate.verdicts(0, asked(2, key), None)) == [Outcome.ALLOWED, Outcome.DAILY_QUOTA]
    gate.recovered()
    assert outcomes(gate.verdicts(0, asked(1, key), None)) == [Outcome.ALLOWED]


def test_what_the_store_said_last_is_where_an_open_gate_begins(spool: Spool) -> None:
    gate = policy(spool)
    gate.heard(KEY, GEOCODE, Verdict(0, 4, 0, 1, 500), AT_US)
    assert outcomes(gate.verdicts(0, asked(2), None)) == [Outcome.ALLOWED, Outcome.DAILY_QUOTA]


def test_store_that_was_not_told_of_the_spool_yet_is_not_believed(spool: Spool) -> None:
    gate, key = policy(spool), replace(KEY, requests_per_day=11)
    assert outcomes(gate.verdicts(0, asked(1, key), None)) == [Outcome.ALLOWED]
    gate.heard(key, GEOCODE, Verdict(0, 4, 0, 1, 500), AT_US)
    assert outcomes(gate.verdicts(0, asked(1, key), None)) == [Outcome.DAILY_QUOTA]


def test_store_is_away_from_the_first_failure_and_it_is_said_once(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    gate = policy(spool)
    assert not gate.is_away
    gate.failed()
    gate.failed()
    assert gate.is_away
    assert [record.message for record in caplog.records] == ["store_away"]


def test_calls_are_numbered_from_one_on_each_connection_and_no_name_comes_twice() -> None:
    calls = Calls()
    first = [calls.next() for _ in range(3)]
    calls.renew()
    second = [calls.next() for _ in range(2)]
    assert [sent.number for sent in first + second] == [1, 2, 3, 1, 2]
    assert len({sent.connection for sent in first}) == len({sent.connection for sent in second}) == 1
    assert first[0].connection != second[0].connection
    assert len(first[0].connection) == 16
