"""What was spooled becomes records once, killed or cut off at any point, told twice, or forgotten by the store."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as StoreLost

from gate import replay as replay_module
from gate.replay import Replay
from gate.spool import Spool
from gate.spool_files import files_of
from gate.spool_frames import Frame, Sent, pack_frame
from stats.ingest import ingest_all
from stats.models import ShardCursor, UsageRecord
from stats.stream import redis_client, shard_prefix, stream_key
from tests.gate.frames import DAY, frame
from tests.processes import ROOT, process_environment
from tests.shards import shards_open

CONNECTION = "0123456789abcdef"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = make_spool(tmp_path)
    yield spool
    spool.close()


def make_spool(folder: Path) -> Spool:
    return Spool(folder, prefix="maps", max_bytes=10**7)


def run_replay(spool: Spool, tell: Any = None) -> int:
    """One replay; `tell` stands in for the step that talks to the store."""
    shards_open()

    async def run() -> int:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            replay = Replay(client, spool, stream_key)
            if tell is not None:
                replay._tell = tell(replay._tell)  # type: ignore[method-assign]
            return await replay.run()

    return asyncio.run(run())


def request_ids(*frames: Frame) -> list[str]:
    return [line.rpartition(b"\t")[2].decode() for one in frames for line in one.lines]


def stored() -> list[str]:
    """The request ids of all records, in the order in which they were stored."""
    return [str(request_id) for request_id in UsageRecord.objects.order_by("id").values_list("request_id", flat=True)]


def n_day() -> int:
    """What the store says that key 7 has used of its day."""
    packed: Any = redis_client().hget(f"{shard_prefix(0)}day:{DAY}", "7")
    return int.from_bytes(packed or b"")


def test_all_that_was_spooled_is_told_in_its_order_and_the_file_goes(db: None, spool: Spool, tmp_path: Path) -> None:
    written = [frame(n % 3 + 1) for n in range(150)]
    for one in written:
        spool.append(one)

    assert run_replay(spool) == spool.n_waiting + 300 == 300
    ingest_all()

    assert stored() == request_ids(*written)
    assert n_day() == 300
    assert list(tmp_path.iterdir()) == []
    assert run_replay(spool) == 0


def test_what_dead_gates_have_left_is_told_by_a_living_one(db: None, spool: Spool, tmp_path: Path) -> None:
    written = [frame(2), frame(3)]
    for one in written:
        dead = make_spool(tmp_path)
        dead.append(one)
        dead.close()
    assert run_replay(spool) == 5
    ingest_all()
    assert sorted(stored()) == sorted(request_ids(*written))


def test_damaged_file_is_told_as_far_as_it_can_be_read_and_kept(
    db: None, spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = [frame(), frame(), frame()]
    for one in written:
        spool.append(one)
    (path,) = files_of(tmp_path, "maps")
    data = bytearray(path.read_bytes())
    data[len(pack_frame(written[0])) + 40] ^= 1
    path.write_bytes(data)

    run_replay(spool)
    ingest_all()

    assert stored() == request_ids(written[0], written[2])
    assert [kept.suffix for kept in tmp_path.iterdir()] == [".damaged"]
    assert {record.message for record in caplog.records} >= {"spool_unreadable", "spool_damaged"}


def test_torn_end_is_told_of_and_goes(db: None, spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, torn = frame(), pack_frame(frame())[:-1]
    (tmp_path / f"maps.{'0' * 32}.spool").write_bytes(pack_frame(one) + torn)
    (tmp_path / f"maps.{'1' * 32}.spool").touch()
    assert run_replay(spool) == 1
    ingest_all()
    assert stored() == request_ids(one)
    assert list(tmp_path.iterdir()) == []
    assert [record.message for record in caplog.records if record.message.startswith("spool_u")] == ["spool_unreadable"]


@dataclass
class Cut:
    """The store does `n_done` commands of a pipeline, then the connection breaks, its answers heard or not."""

    n_done: int

    def __call__(self, tell: Any) -> Any:
        async def cut(file: Any, placed: Any) -> list[Any]:
            some = placed[: self.n_done]
            if some:
                await tell(file, some)
            raise StoreLost("cut")

        return cut


cuts = st.builds(Cut, st.integers(0, 5))


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 3), min_size=1, max_size=8), cuts=st.lists(cuts, max_size=4), data=st.data())
def test_replay_cut_off_at_any_points_tells_everything_once(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    sizes: list[int],
    cuts: list[Cut],
    data: st.DataObject,
) -> None:
    monkeypatch.setattr(replay_module, "PIPELINE_FRAMES", 3)
    redis_client().delete(*redis_client().keys(f"{settings.REDIS_PREFIX}:*"), "none")
    folder = tmp_path_factory.mktemp("spool")
    spool, written = make_spool(folder), [frame(n) for n in sizes]
    for one in written:
        spool.append(one)
    for cut in cuts:
        with pytest.raises(StoreLost):
            run_replay(spool, cut)
        if data.draw(st.booleans()):
            # The gate dies too: the next one has only the file and the store.
            spool.close()
            spool = make_spool(folder)
    run_replay(spool)
    entries: Any = redis_client().xrange(stream_key(0))
    told = [line.rpartition(b"\t")[2].decode() for _, fields in entries for line in fields[b"e"].split(b"\n")]
    assert told == request_ids(*written)
    assert n_day() == sum(sizes)
    assert list(folder.iterdir()) == []


def test_store_emptied_in_the_middle_of_a_pipeline_is_told_the_rest_and_no_record_is_doubled(
    db: None, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [frame() for _ in range(6)]
    for one in written:
        spool.append(one)
    with pytest.raises(StoreLost):
        run_replay(spool, Cut(4))
    ingest_all()
    assert len(stored()) == 4
    redis_client().delete(*redis_client().keys(f"{settings.REDIS_PREFIX}:*"))

    assert run_replay(spool) == 6
    ingest_all()

    assert stored() == request_ids(*written)


def test_position_lost_between_two_of_a_pipeline_starts_it_anew_from_there(db: None, spool: Spool) -> None:
    written = [frame() for _ in range(4)]
    for one in written:
        spool.append(one)
    asked: list[int] = []

    def forgetful(tell: Any) -> Any:
        async def half(file: Any, placed: Any) -> list[Any]:
            asked.append(len(placed))
            if len(asked) > 1:
                return list(await tell(file, placed))
            return [*await tell(file, placed[:2]), b"gap", b"gap"]

        return half

    assert run_replay(spool, forgetful) == 4
    ingest_all()
    assert (asked, stored()) == ([4, 2], request_ids(*written))


def test_calls_without_an_answer_are_told_where_the_store_did_not_count_them(db: None, spool: Spool) -> None:
    redis_client().set(f"{shard_prefix(0)}b:{CONNECTION}", 2)
    written = [frame(sent=Sent(CONNECTION, number)) for number in (1, 2, 3, 4)]
    for one in written:
        spool.append(one)
    run_replay(spool)
    ingest_all()
    assert stored() == request_ids(*written[2:])


# What a gate is killed at: one step of its replay, before or after the step is done.
_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
import django
django.setup()
import redis.asyncio
from django.conf import settings
from gate.replay import Replay
from gate.spool import Spool
from gate.spool_files import SpoolFile
from stats.stream import stream_key
from gate import replay
replay.PIPELINE_FRAMES = 2
folder, step, moment = sys.argv[1:]
owner = SpoolFile if hasattr(SpoolFile, step) else Replay
do = getattr(owner, step)
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def step_and_die(*args):
    if moment == "after":
        do(*args)
    die()
async def ask_and_die(*args):
    if moment == "after":
        await do(*args)
    die()
setattr(owner, step, ask_and_die if step == "_tell" else step_and_die)
async def run():
    spool = Spool(Path(folder), prefix="maps", max_bytes=10**7)
    await Replay(redis.asyncio.Redis.from_url(settings.REDIS_URL), spool, stream_key).run()
asyncio.run(run())
"""


def test_gate_killed_at_any_step_of_its_replay_leaves_the_rest_and_tells_nothing_twice(
    live: None, tmp_path: Path
) -> None:
    shards_open()
    environment = {
        **process_environment(redis_prefix=settings.REDIS_PREFIX),
        "DJANGO_SETTINGS_MODULE": "goongdash.settings",
    }
    written = [frame() for _ in range(5)]
    spool = make_spool(tmp_path)
    for one in written:
        spool.append(one)
    spool.close()
    steps = [
        ("_tell", "before"),
        ("_tell", "after"),
        ("confirm", "before"),
        ("confirm", "after"),
        ("remove", "before"),
    ]
    for step, moment in steps:
        done = subprocess.run(
            [sys.executable, "-c", _DIE, str(tmp_path), step, moment], cwd=ROOT, env=environment, check=False
        )
        assert done.returncode == -signal.SIGKILL, (step, moment)
        ingest_all()

    spool = make_spool(tmp_path)
    run_replay(spool)
    ingest_all()

    assert stored() == request_ids(*written)
    assert ShardCursor.objects.values_list("n_records", "n_said", "n_lost").get() == (5, 5, 0)
    assert n_day() == 5
    assert list(tmp_path.iterdir()) == []
