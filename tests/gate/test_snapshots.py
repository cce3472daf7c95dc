from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gate.changes import apply
from gate.decide import Ruling
from gate.snapshot import Catalogue, ServiceFacts
from gate.snapshots import MAX_DECISIONS, UNKNOWN_TTL_S, Entry, Snapshots, SourceUnavailable
from gate.use import Use
from tests.gate.snapshots import SNAPSHOT
from tests.gate.source import Source, play


def test_known_key_is_not_read_again_until_its_time_is_over() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        source.now_s += 29.9
        assert snapshots.known("a") is not None
        source.now_s += 0.2
        assert snapshots.known("a") is None

    play(scenario)


def test_unknown_key_is_remembered_for_a_second() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        entry = await snapshots.ask("nobody")
        assert entry.key is None
        assert snapshots.known("nobody") is entry
        source.now_s += UNKNOWN_TTL_S
        assert snapshots.known("nobody") is None

    play(scenario)


@pytest.mark.parametrize("line", ["key:a", "account:3", "catalogue"])
def test_reading_under_way_cannot_put_back_what_was_announced_meanwhile(line: str) -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        asking = asyncio.create_task(snapshots.ask("a"))
        await source.is_asked()
        # The reading has begun and saw the key alive; now it is revoked.
        source.keys["a"] = replace(SNAPSHOT, is_revoked=True)
        apply(line, snapshots)
        source.may_answer.set()
        entry = await asking
        assert entry.key is not None
        assert entry.key.is_revoked
        assert source.readings == [["a"], ["a"]]

    play(scenario, waits=True)


def test_reading_begun_while_nothing_was_heard_is_not_believed() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        asking = asyncio.create_task(snapshots.ask("a"))
        await source.is_asked()
        source.keys["a"] = replace(SNAPSHOT, is_revoked=True)
        snapshots.doubt_all()
        source.may_answer.set()
        assert (await asking).key == source.keys["a"]

    play(scenario, waits=True)


@pytest.mark.parametrize("line", ["key:b", "account:4"])
def test_change_of_another_key_repeats_no_reading(line: str) -> None:
    """Else a stream of changes would keep every key from ever being read."""

    async def scenario(source: Source, snapshots: Snapshots) -> None:
        asking = asyncio.create_task(snapshots.ask("a"))
        await source.is_asked()
        apply(line, snapshots)
        source.may_answer.set()
        assert (await asking).key is SNAPSHOT
        assert source.n_reads == 1

    play(scenario, waits=True)


@pytest.mark.parametrize("line", ["key:a", "account:3", "catalogue"])
def test_announced_change_drops_what_it_names(line: str) -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        await snapshots.ask("b")
        apply(line, snapshots)
        assert snapshots.known("a") is None
        assert (snapshots.known("b") is None) == (line == "catalogue")

    play(scenario)


@pytest.mark.parametrize("line", ["", "key", "account:x", "account:999", "news:1"])
def test_line_that_names_nothing_here_changes_nothing(line: str) -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        apply(line, snapshots)
        assert snapshots.known("a") is not None

    play(scenario)


def test_known_key_goes_on_while_the_source_is_away() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        source.is_away = True
        snapshots.doubt_all()
        assert snapshots.known("a") is None
        assert (await snapshots.ask("a")).key is SNAPSHOT
        assert snapshots.known("a") is not None

    play(scenario)


def test_unknown_and_dropped_keys_are_unavailable_while_the_source_is_away() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        source.is_away = True
        apply("key:a", snapshots)
        for digest in ("a", "b", "nobody"):
            with pytest.raises(SourceUnavailable):
                await snapshots.ask(digest)

    play(scenario)


def test_memory_is_bounded_and_drops_the_oldest() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.keys = {f"key{n}": SNAPSHOT for n in range(100)}
        for n in range(100):
            await snapshots.ask(f"key{n}")
        assert snapshots.known("key89") is None
        assert all(snapshots.known(f"key{n}") for n in range(90, 100))

    play(scenario)


def test_account_s_keys_are_dropped_and_nothing_is_left_of_keys_that_went() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.keys = {f"{n}": replace(SNAPSHOT, account_id=n % 3) for n in range(30)}
        for digest in source.keys:
            await snapshots.ask(digest)
        apply("key:29", snapshots)
        assert snapshots._digests == {0: {"21", "24", "27"}, 1: {"22", "25", "28"}, 2: {"20", "23", "26"}}
        apply("account:1", snapshots)
        assert [digest for digest in source.keys if snapshots.known(digest)] == ["20", "21", "23", "24", "26", "27"]
        for digest in ("20", "23", "26"):
            apply(f"key:{digest}", snapshots)
        assert snapshots._digests.keys() == {0}

    play(scenario)


def test_flood_of_garbage_pushes_no_real_key_out() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        for n in range(50):
            await snapshots.ask(f"nobody{n}")
        source.is_away = True
        snapshots.doubt_all()
        assert (await snapshots.ask("a")).key is SNAPSHOT

    play(scenario)


def test_key_in_use_outlives_any_number_of_keys_used_once() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.keys |= {f"key{n}": SNAPSHOT for n in range(200)}
        for n in range(200):
            # A fifth of what fits comes within the time-to-live.
            source.now_s += 15.0
            await snapshots.ask(f"key{n}")
            if snapshots.known("a") is None:
                await snapshots.ask("a")
        assert len([reading for reading in source.readings if reading == ["a"]]) == 100

    play(scenario)


def test_what_is_remembered_of_a_flood_is_bounded_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.snapshots.MAX_UNKNOWN", 20)

    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await asyncio.gather(*(snapshots.ask(f"nobody{n}") for n in range(100)))
        assert [n for n in range(100) if snapshots.known(f"nobody{n}")] == list(range(80, 100))
        source.now_s += UNKNOWN_TTL_S
        await asyncio.gather(*(snapshots.ask(f"late{n}") for n in range(20)))
        assert len(snapshots._unknown) == 20
        assert all(snapshots.known(f"late{n}") for n in range(20))

    play(scenario)


GEOCODE = ServiceFacts(1, "geocode", "Geocode", "rest", "request", "/geocode")


@pytest.mark.parametrize("event", ["announced", "reconnected", "time-to-live"])
def test_services_are_read_anew_and_what_hung_on_them_is_worked_out_anew(event: str) -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        if event == "time-to-live":
            snapshots.ttl_s = 0.01
        source.catalogue = Catalogue.of([GEOCODE])
        await snapshots.start()
        keeping = asyncio.create_task(snapshots.keep_catalogue())
        if event == "announced":
            apply("catalogue", snapshots)
        elif event == "reconnected":
            snapshots.doubt_all()
        entry = await snapshots.ask("a")
        entry.use(SNAPSHOT, GEOCODE, Ruling(None))
        entry.remember((1, None, None, None), (Use.of(SNAPSHOT, GEOCODE, Ruling(None)), b""))
        source.catalogue = Catalogue.of([replace(GEOCODE, unit="map_load")])
        if event != "time-to-live":
            snapshots.doubt_all()
        while snapshots.catalogue != source.catalogue:
            await asyncio.sleep(0)
        assert (entry.uses, entry.decisions) == ({}, {})
        keeping.cancel()

    play(scenario)


@pytest.mark.parametrize("is_away", [True, False])
def test_services_that_cannot_be_read_are_kept_and_tried_again(monkeypatch: pytest.MonkeyPatch, is_away: bool) -> None:
    """None at all are such, too: somebody is putting them back."""
    monkeypatch.setattr("gate.snapshots.RETRY_S", 0.0)

    async def scenario(source: Source, snapshots: Snapshots) -> None:
        before = source.catalogue = Catalogue.of([GEOCODE])
        await snapshots.start()
        source.is_away = is_away
        source.catalogue = Catalogue({}, ())
        keeping = asyncio.create_task(snapshots.keep_catalogue())
        apply("catalogue", snapshots)
        while source.n_catalogues < 5:
            await asyncio.sleep(0)
        assert snapshots.catalogue is before
        source.is_away = False
        source.catalogue = Catalogue.of([replace(GEOCODE, unit="map_load")])
        while snapshots.catalogue is before:
            await asyncio.sleep(0)
        keeping.cancel()

    play(scenario)


def test_key_made_after_it_was_asked_for_is_found_when_announced() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        assert (await snapshots.ask("new")).key is None
        source.keys["new"] = SNAPSHOT
        apply("key:new", snapshots)
        assert (await snapshots.ask("new")).key is SNAPSHOT
        assert snapshots.known("new") is not None

    play(scenario)


def test_decisions_kept_for_a_key_are_bounded_in_number_and_size() -> None:
    entry = Entry(SNAPSHOT, 0.0)
    decision = (Use.of(SNAPSHOT, None, Ruling(None)), b"")
    for n in range(3_000):
        entry.remember((1, b"https://%d.example/" % n, None, None), decision)
        assert len(entry.decisions) <= MAX_DECISIONS
    entry.decisions.clear()
    entry.remember((1, b"https://example.com/" + b"x" * 8_000, None, None), decision)
    assert entry.decisions == {}


def test_key_in_use_is_read_anew_before_its_time_is_over_and_nobody_waits() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.may_answer.set()
        first = await snapshots.ask("a")
        source.may_answer.clear()
        source.now_s += 20.0
        assert snapshots.known("a") is first
        await source.is_asked(2)
        assert snapshots.known("a") is first
        source.may_answer.set()
        while snapshots.known("a") is first:
            await asyncio.sleep(0)
        assert source.readings == [["a"], ["a"]]

    play(scenario, waits=True)


def test_key_that_could_not_be_read_anew_is_tried_again_and_used_on() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        first = await snapshots.ask("a")
        source.is_away = True
        for n in range(2, 6):
            source.now_s += 20.0
            assert snapshots.known("a") is first or n > 2
            await source.is_asked(n)
            assert await snapshots.ask("a") is first

    play(scenario)
