"""What is spooled is on the disk and belongs to one process; what cannot be spooled is refused and heard of."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from gate import spool_files
from gate.spool import PAUSE_S, SAID_EVERY_S, Spool, SpoolUnavailable
from gate.spool_files import SpoolFile, files_of
from gate.spool_frames import Frame, Placed, pack_frame
from tests.gate.frames import frame
from tests.processes import ROOT

MakeSpool = Callable[..., Spool]


@pytest.fixture
def make_spool(tmp_path: Path) -> Iterator[MakeSpool]:
    """Spools of several processes, as it were; each holds its files until the test is over."""
    made: list[Spool] = []

    def make(**options: object) -> Spool:
        fields = {"prefix": "maps", "max_bytes": 100_000, **options}
        made.append(Spool(tmp_path / "spool", **fields))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for spool in made:
        spool.close()


def frames_of(file: SpoolFile) -> list[Frame]:
    return [part.frame for part in file.parts() if isinstance(part, Placed)]


def test_batches_are_on_the_disk_in_their_order_for_nobody_else_to_read(make_spool: MakeSpool, tmp_path: Path) -> None:
    spool, written = make_spool(), [frame(2), frame(3)]
    for one in written:
        spool.append(one)

    (path,) = files_of(tmp_path / "spool", "maps")
    assert path.read_bytes() == b"".join(map(pack_frame, written))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (spool.n_waiting, spool.n_bytes, spool.n_failures) == (5, path.stat().st_size, 0)
    (file,) = spool.take()
    assert frames_of(file) == written


def test_batch_after_a_take_goes_into_another_file(make_spool: MakeSpool) -> None:
    spool, first, second = make_spool(), frame(), frame()
    spool.append(first)
    spool.take()
    spool.append(second)
    assert [frames_of(file) for file in spool.take()] == [[first], [second]]


def test_file_of_a_living_gate_is_left_to_it_and_that_of_a_dead_one_adopted(make_spool: MakeSpool) -> None:
    living, other, written = make_spool(), make_spool(), frame(4)
    living.append(written)
    assert other.take() == []
    living.close()
    (file,) = other.take()
    assert frames_of(file) == [written]
    assert (other.n_waiting, living.n_waiting) == (4, 0)
    assert make_spool().take() == []


def test_file_of_another_installation_is_no_business_of_ours(make_spool: MakeSpool) -> None:
    theirs = make_spool(prefix="maps.test")
    theirs.append(frame())
    theirs.close()
    assert make_spool().take() == []
    assert len(make_spool(prefix="maps.test").take()) == 1


def test_file_that_is_done_is_gone_and_a_damaged_one_is_kept_aside(make_spool: MakeSpool, tmp_path: Path) -> None:
    spool = make_spool()
    for is_damaged in (False, True):
        spool.append(frame())
        (file,) = spool.take()
        spool.done(file, is_damaged=is_damaged)
        assert spool.take() == make_spool().take() == []
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".damaged"]
    assert (spool.n_waiting, spool.n_bytes) == (0, 0)


def test_folder_that_is_full_by_its_setting_takes_nothing_more(make_spool: MakeSpool, tmp_path: Path) -> None:
    size = len(pack_frame(frame(1)))
    first, second = make_spool(max_bytes=2 * size), make_spool(max_bytes=2 * size)
    first.append(frame())
    second.append(frame())
    for spool in (first, second):
        with pytest.raises(SpoolUnavailable, match="GATE_SPOOL_MAX_BYTES"):
            spool.append(frame())
        assert (spool.n_waiting, spool.n_failures) == (1, 1)
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) == 2 * size


def test_failure_is_said_once_in_a_while_and_counted_every_time(
    make_spool: MakeSpool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("no folder")
    now = 100.0
    spool = make_spool(clock=lambda: now)
    for now in (100.0, 100.5, 100.0 + PAUSE_S, 99.9 + SAID_EVERY_S, 100.0 + SAID_EVERY_S):  # noqa: B007
        with pytest.raises(SpoolUnavailable):
            spool.append(frame())
    assert spool.n_failures == 5
    assert [record.message for record in caplog.records] == ["spool_failed"] * 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_spool_is_written_to_again_when_it_can_be(make_spool: MakeSpool, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("no folder")
    now = 100.0
    spool, written = make_spool(clock=lambda: now), frame()
    with pytest.raises(SpoolUnavailable):
        spool.check()
    with pytest.raises(SpoolUnavailable):
        spool.append(frame())
    (tmp_path / "spool").unlink()
    with pytest.raises(SpoolUnavailable, match="just failed"):
        spool.append(frame())
    now += PAUSE_S
    spool.check()
    spool.append(written)
    assert [frames_of(file) for file in spool.take()] == [[written]]


def test_batch_whose_fsync_failed_is_in_no_file_and_nothing_follows_it_there(
    make_spool: MakeSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    spool, first, last = make_spool(clock=lambda: now), frame(), frame()
    spool.append(first)

    def fail(fd: int) -> NoReturn:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SpoolUnavailable, match="Input/output"):
            spool.append(frame())
    now += PAUSE_S
    spool.append(last)
    assert [frames_of(file) for file in spool.take()] == [[first], [last]]


def test_batch_that_finds_the_disk_full_leaves_nothing_behind_and_the_next_small_one_fits(tmp_path: Path) -> None:
    """A real limit of the kernel's, in a process of its own: part of the write succeeds, the rest does not."""
    program = textwrap.dedent("""
        import resource, signal, sys
        from pathlib import Path
        from gate.spool import Spool, SpoolUnavailable
        from tests.gate.frames import frame
        from gate.spool_frames import pack_frame
        size = len(pack_frame(frame()))
        now = 0.0
        spool = Spool(Path(sys.argv[1]), prefix="maps", max_bytes=10**6, clock=lambda: now)
        spool.append(frame())
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 * size, 3 * size))
        try:
            spool.append(frame(20))
            sys.exit("it was taken")
        except SpoolUnavailable as error:
            print(error)
        now = 10.0
        spool.append(frame())
        print([len(p.frame.lines) for f in spool.take() for p in f.parts()], spool.n_failures)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "spool")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["OSError: [Errno 27] File too large", "[1, 1] 1"]


def test_gate_killed_at_any_write_leaves_every_batch_it_had_answered(tmp_path: Path, make_spool: MakeSpool) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from gate.spool import Spool
        from tests.gate.frames import frame
        spool = Spool(Path(sys.argv[1]), prefix="maps", max_bytes=10**8)
        while True:
            one = frame(3)
            spool.append(one)
            print(one.lines[-1].decode(), flush=True)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "spool")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    answered += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()

    (file,) = make_spool().take()
    spooled = [one.lines[-1].decode() for one in frames_of(file)]
    assert spooled[: len(answered)] == answered
    assert len(spooled) - len(answered) <= 1


def test_file_that_was_cleared_away_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another gate may find a new file in the moment before its maker has locked it."""
    lock = spool_files._lock
    paths: list[Path] = []

    def clear_away_the_first(path: Path, fd: int) -> bool:
        if not paths:
            path.unlink()
        paths.append(path)
        return lock(path, fd)

    monkeypatch.setattr(spool_files, "_lock", clear_away_the_first)
    file = SpoolFile.create(tmp_path, "maps")
    assert file.path.exists()
    assert len(paths) == 2
    file.close()
