from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gate.changes import apply
from gate.snapshot import Catalogue, KeySnapshot
from gate.snapshots import MAX_DECISIONS, UNKNOWN_TTL_S, Entry, Snapshots, SourceUnavailable
from gate.use import Use
from tests.gate.snapshots import SNAPSHOT


@dataclass
class Source:
    """Stands in for PostgreSQL: answers when it is let to, and can be away."""

    keys: dict[str, KeySnapshot]
    now_s: float = 100.0
    is_away: bool = False
    n_reads: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def load_key(self, digest: str) -> KeySnapshot | None:
        self.n_reads += 1
        found = self.keys.get(digest)
        await self.may_answer.wait()
        if self.is_away:
            raise SourceUnavailable
        return found

    async def is_asked(self) -> None:
        while not self.n_reads:
            await asyncio.sleep(0)

    async def load_catalogue(self) -> Catalogue:
        return Catalogue({}, ())

    def snapshots(self, size: int = 10) -> Snapshots:
        return Snapshots(self.load_key, self.load_catalogue, lambda: self.now_s, ttl_s=30.0, size=size)


Scenario = Callable[[Source, Snapshots], Coroutine[Any, Any, None]]


def play(scenario: Scenario, *, waits: bool = False, size: int = 10) -> None:
    async def run() -> None:
        source = Source({"a": SNAPSHOT, "b": replace(SNAPSHOT, key_id=8, account_id=4)})
        if not waits:
            source.may_answer.set()
        await scenario(source, source.snapshots(size))

    asyncio.run(run())


def test_many_who_ask_at_once_share_one_reading() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        asking = [asyncio.create_task(snapshots.ask("a")) for _ in range(50)]
        await source.is_asked()
        source.may_answer.set()
        entries = await asyncio.gather(*asking)
        assert source.n_reads == 1
        assert all(entry.key is SNAPSHOT for entry in entries)

    play(scenario, waits=True)


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


def test_reading_under_way_cannot_put_a_revoked_key_back() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        asking = asyncio.create_task(snapshots.ask("a"))
        await source.is_asked()
        # The reading has begun and saw the key alive; now it is revoked.
        source.keys["a"] = replace(SNAPSHOT, is_revoked=True)
        await apply("key:a", snapshots)
        source.may_answer.set()
        entry = await asking
        assert entry.key is not None
        assert entry.key.is_revoked
        assert source.n_reads == 2

    play(scenario, waits=True)


@pytest.mark.parametrize("line", ["key:a", "account:3", "catalogue"])
def test_announced_change_drops_what_it_names(line: str) -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        await snapshots.ask("b")
        await apply(line, snapshots)
        assert snapshots.known("a") is None
        assert (snapshots.known("b") is None) == (line == "catalogue")

    play(scenario)


@pytest.mark.parametrize("line", ["", "key", "account:x", "account:999", "news:1"])
def test_line_that_names_nothing_here_changes_nothing(line: str) -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        await apply(line, snapshots)
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
        await apply("key:a", snapshots)
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


def test_flood_of_garbage_pushes_no_real_key_out() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        await snapshots.ask("a")
        for n in range(50):
            await snapshots.ask(f"nobody{n}")
        source.is_away = True
        snapshots.doubt_all()
        assert (await snapshots.ask("a")).key is SNAPSHOT

    play(scenario)


def test_key_made_after_it_was_asked_for_is_found_when_announced() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        assert (await snapshots.ask("new")).key is None
        source.keys["new"] = SNAPSHOT
        await apply("key:new", snapshots)
        assert (await snapshots.ask("new")).key is SNAPSHOT
        assert snapshots.known("new") is not None

    play(scenario)


def test_decisions_kept_for_a_key_are_bounded_in_number_and_size() -> None:
    entry = Entry(SNAPSHOT, 0.0)
    decision = (Use.of(SNAPSHOT, None, None), b"")
    for n in range(3_000):
        entry.remember((1, b"https://%d.example/" % n, None, None), decision)
        assert len(entry.decisions) <= MAX_DECISIONS
    entry.decisions.clear()
    entry.remember((1, b"https://example.com/" + b"x" * 8_000, None, None), decision)
    assert entry.decisions == {}
