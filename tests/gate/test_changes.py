from __future__ import annotations

import asyncio
from typing import cast

import pytest

from gate.changes import listen
from gate.presence import Presence
from tests.gate.snapshots import SNAPSHOT
from tests.gate.source import Source


def test_keys_are_in_doubt_again_and_again_while_no_change_can_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.changes.RETRY_S", 0.001)
    monkeypatch.setattr("gate.changes.UNHEARD_S", 0.01)

    async def run() -> None:
        source = Source({"a": SNAPSHOT})
        source.may_answer.set()
        snapshots = source.snapshots()
        nobody = cast("Presence", None)
        listening = asyncio.create_task(listen("redis://127.0.0.1:9/0", "changes", snapshots, nobody))
        for _ in range(3):
            n_before = source.n_reads
            await snapshots.ask("a")
            # More than one where the doubt came while it was being read.
            assert source.n_reads > n_before
            async with asyncio.timeout(10):
                while snapshots.known("a") is not None:
                    await asyncio.sleep(0.001)
        listening.cancel()

    asyncio.run(run())
