"""Tells the store what was spooled while it was away: every batch once, in the order of its file.

The script (`replay.lua`) remembers in the store how far a file has been told, so that a batch that is told again
changes nothing; a file goes only when all in it is confirmed. Where the store itself has forgotten, ingest knows
the events by their request ids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.resources import files
from itertools import islice
from typing import Any

import redis.asyncio

from gate.calendar import TTLS
from gate.charges import pack_charges
from gate.spool import Spool
from gate.spool_files import SpoolFile
from gate.spool_frames import Placed, Sent, Unreadable

logger = logging.getLogger(__name__)

# Told at once; the store works on while the answers are on their way.
PIPELINE_FRAMES = 64


class Replay:
    """Safe to be killed at any point, and to run in several gates at once: a file has one holder."""

    def __init__(self, client: redis.asyncio.Redis, spool: Spool, stream_key: Callable[[int], str]) -> None:
        self._client = client
        self._spool = spool
        self._stream_key = stream_key
        self._script = client.register_script(files("gate").joinpath("replay.lua").read_bytes())

    async def run(self) -> int:
        """Tells every file that this process holds or can adopt; returns how many events the store has now.

        Raises RedisError where the store fails; what was confirmed by then is not told again.
        """
        return sum([await self._file(file) for file in self._spool.take()])

    async def _file(self, file: SpoolFile) -> int:
        n_events, unreadable = file.n_events, list[Unreadable]()
        with closing(file.parts()) as parts:
            while some := list(islice(parts, PIPELINE_FRAMES)):
                unreadable += [part for part in some if isinstance(part, Unreadable)]
                await self._confirmed(file, [part for part in some if isinstance(part, Placed)])
        if unreadable:
            n_bytes = sum(part.n_bytes for part in unreadable)
            logger.error("spool_unreadable", extra={"path": str(file.path), "n_bytes": n_bytes})
        self._spool.done(file, is_damaged=any(not part.is_at_end for part in unreadable))
        logger.info("spool_replayed", extra={"path": str(file.path), "n_events": n_events})
        return n_events

    async def _confirmed(self, file: SpoolFile, placed: Sequence[Placed]) -> None:
        """Returns when the store has confirmed all of them."""
        while placed:
            for part, answer in zip(placed, await self._tell(file, placed), strict=True):
                if isinstance(answer, Exception):
                    raise answer
                if answer == b"gap":
                    # The store was emptied between two of them: what is left begins anew.
                    break
                file.confirm(part)
            placed = [part for part in placed if part.end > file.told]

    async def _tell(self, file: SpoolFile, placed: Sequence[Placed]) -> list[Any]:
        """One call for each, in one go. Of a shard's, none is done after one that is not."""
        told: dict[int, int] = {}
        async with self._client.pipeline(transaction=False) as pipe:
            for part in placed:
                frame, sent = part.frame, part.frame.sent or Sent("", 0)
                arguments: list[bytes | str | int] = [
                    file.id,
                    told.get(frame.shard, -1),
                    part.end,
                    sent.connection,
                    sent.number,
                    frame.at_us,
                    len(frame.lines),
                    b"\n".join(frame.lines),
                    pack_charges(frame.charges),
                    TTLS,
                ]
                await self._script(keys=[self._stream_key(frame.shard)], args=arguments, client=pipe)
                told[frame.shard] = part.end
            return await pipe.execute(raise_on_error=False)
