from __future__ import annotations

import asyncio
from typing import cast

from gate.readings import BATCH, N_AT_ONCE
from gate.snapshot import KeySnapshot
from gate.snapshots import MAX_WAITING, Snapshots, SourceUnavailable
from tests.gate.snapshots import SNAPSHOT
from tests.gate.source import Source, play


def test_many_who_ask_at_once_share_one_reading() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        asking = [asyncio.create_task(snapshots.ask("a")) for _ in range(50)]
        await source.is_asked()
        source.may_answer.set()
        entries = await asyncio.gather(*asking)
        assert source.n_reads == 1
        assert all(entry.key is SNAPSHOT for entry in entries)

    play(scenario, waits=True)


def test_keys_asked_for_together_are_read_together_and_few_readings_are_under_way() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.keys = {f"key{n}": SNAPSHOT for n in range(1_000)}
        asking = [asyncio.create_task(snapshots.ask(f"key{n}")) for n in range(1_000)]
        await source.is_asked(N_AT_ONCE)
        await asyncio.sleep(0.02)
        assert [len(reading) for reading in source.readings] == [BATCH] * N_AT_ONCE
        source.may_answer.set()
        assert all(entry.key is SNAPSHOT for entry in await asyncio.gather(*asking))
        assert source.n_reads == -(-1_000 // BATCH)

    play(scenario, waits=True, size=1_000)


def test_too_many_who_wait_are_turned_away_and_a_key_in_use_is_not_among_them() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.may_answer.set()
        await snapshots.ask("a")
        source.may_answer.clear()
        asking = [asyncio.create_task(snapshots.ask(f"nobody{n}")) for n in range(MAX_WAITING + 500)]
        await source.is_asked(1 + N_AT_ONCE)
        done, waiting = await asyncio.wait(asking, timeout=0.05)
        assert len(done) == 500
        assert all(isinstance(task.exception(), SourceUnavailable) for task in done)
        # A refresh does not queue behind them, and its reading holds nothing else.
        source.now_s += 31.0
        refresh = asyncio.create_task(snapshots.ask("a"))
        await source.is_asked(2 + N_AT_ONCE)
        assert source.readings[-1] == ["a"]
        source.may_answer.set()
        assert (await refresh).key is SNAPSHOT
        assert all(task.result().key is None for task in (await asyncio.wait(waiting))[0])

    play(scenario, waits=True)


def test_fault_of_a_reading_reaches_all_who_wait_for_it() -> None:
    async def scenario(source: Source, snapshots: Snapshots) -> None:
        source.keys = cast("dict[str, KeySnapshot]", None)
        for asked in await asyncio.gather(snapshots.ask("a"), snapshots.ask("b"), return_exceptions=True):
            assert isinstance(asked, TypeError)

    play(scenario)
