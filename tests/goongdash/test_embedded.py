"""The embedded PostgreSQL and Redis, for real: they start, recover, are shared, and are gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from goongdash.embedded import locks, paths, processes
from goongdash.embedded.errors import EmbeddedServerError, NotReadyError
from goongdash.embedded.postgres import SERVER as POSTGRES
from goongdash.embedded.redis import SERVER as REDIS
from goongdash.embedded.servers import stop_all, using_servers

# A command that says which servers it sees, and stays until its input is closed.
COMMAND = """
import sys
from goongdash.embedded import paths, processes
from goongdash.embedded.postgres import SERVER as POSTGRES
from goongdash.embedded.redis import SERVER as REDIS
from goongdash.embedded.servers import using_servers

data_dir = paths.data_dir()
with using_servers(data_dir):
    for server in (POSTGRES, REDIS):
        assert server.is_ready(data_dir)
    for server in (POSTGRES, REDIS):
        found = processes.serving(server.program, server.folder(data_dir))
        print(min(process.pid for process in found), end=" ")
    print(flush=True)
    sys.stdin.read()
"""


@contextmanager
def a_data_dir() -> Iterator[Path]:
    """Not pytest's `tmp_path`: pytest shuts its parent to all others whenever a session begins."""
    folder = Path(tempfile.mkdtemp(prefix="goongdash-test-", dir="/tmp")).resolve()
    try:
        yield folder / "data"
    finally:
        stop_all(folder / "data")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared_data_dir() -> Iterator[Path]:
    with a_data_dir() as folder:
        yield folder


@pytest.fixture
def data_dir(shared_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that keeps its cluster from test to test; nothing runs in it before or after one."""
    name_no_servers(monkeypatch, shared_data_dir)
    assert serving(shared_data_dir) == []
    yield shared_data_dir
    stop_all(shared_data_dir)


@pytest.fixture
def fresh_data_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with a_data_dir() as folder:
        name_no_servers(monkeypatch, folder)
        yield folder


def name_no_servers(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    for variable in ("DATABASE_URL", "REDIS_URL", "REDIS_APPENDFSYNC"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DATA_DIR", str(data_dir))


def serving(data_dir: Path) -> list[psutil.Process]:
    return [
        process
        for server in (POSTGRES, REDIS)
        for process in processes.serving(server.program, server.folder(data_dir))
    ]


def start_command() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=paths.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(command: subprocess.Popen[str]) -> str:
    assert command.stdout is not None
    return command.stdout.readline()


def leave(command: subprocess.Popen[str]) -> None:
    command.communicate(timeout=30)
    assert command.returncode == 0


def test_servers_are_up_inside_and_gone_after_the_outermost_use(data_dir: Path) -> None:
    with using_servers(data_dir):
        with using_servers(data_dir):
            pass
        with psycopg.connect(paths.database_url(data_dir)) as connection:
            row = connection.execute(
                "SELECT current_setting('fsync'), current_setting('synchronous_commit'),"
                " current_setting('listen_addresses'), current_setting('server_version_num')::int / 10000"
            ).fetchone()
        assert row == ("on", "on", "", 18)
        with redis.Redis.from_url(paths.redis_url(data_dir), decode_responses=True) as client:
            settings = client.config_get("*")
        wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "port": "0"}
        assert wanted.items() <= settings.items()

    assert serving(data_dir) == []


def test_killed_servers_start_again_with_what_they_had_acknowledged(data_dir: Path) -> None:
    with using_servers(data_dir):
        with psycopg.connect(paths.database_url(data_dir)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with redis.Redis.from_url(paths.redis_url(data_dir)) as client:
            client.set("kept", "42")
        # Chosen before any is killed: PostgreSQL's children end at once when their parent does.
        leaders = [p for p in serving(data_dir) if p.name() == "redis-server" or "-D" in p.cmdline()]
        for process in leaders:
            process.kill()

        with using_servers(data_dir):
            with psycopg.connect(paths.database_url(data_dir)) as connection:
                assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
            with redis.Redis.from_url(paths.redis_url(data_dir)) as client:
                assert client.get("kept") == b"42"

    assert serving(data_dir) == []


def test_commands_started_together_share_servers_and_the_last_stops_them(data_dir: Path) -> None:
    one, other = start_command(), start_command()
    seen = first_line(one)
    assert seen and first_line(other) == seen

    leave(one)
    assert POSTGRES.is_ready(data_dir) and REDIS.is_ready(data_dir)

    leave(other)
    assert serving(data_dir) == []


def test_terminated_command_stops_its_servers(data_dir: Path) -> None:
    with start_command() as command:
        assert first_line(command)
        command.terminate()

    assert command.returncode == 128 + signal.SIGTERM
    assert serving(data_dir) == []


def test_servers_left_by_a_killed_command_serve_the_next_and_end_with_it(data_dir: Path) -> None:
    with start_command() as command:
        assert first_line(command)
        command.kill()
    left = serving(data_dir)
    assert left

    with using_servers(data_dir):
        assert {process.pid for process in left} <= {process.pid for process in serving(data_dir)}

    assert serving(data_dir) == []


def test_foreground_server_replaces_one_that_was_left(data_dir: Path) -> None:
    with using_servers(data_dir):
        left = processes.serving(REDIS.program, REDIS.folder(data_dir))
        with subprocess.Popen([sys.executable, "-m", "goongdash.embedded", "redis"], cwd=paths.BASE_DIR) as server:
            processes.wait_gone(left, timeout_s=10)
            deadline = time.monotonic() + 10
            while not REDIS.is_ready(data_dir) and time.monotonic() < deadline:
                time.sleep(0.05)
            found = processes.serving(REDIS.program, REDIS.folder(data_dir))
            assert [process.pid for process in found] == [server.pid]
            server.send_signal(REDIS.stop_signal)


def test_leavings_of_a_crash_do_not_stop_the_start(fresh_data_dir: Path) -> None:
    """A cluster half made, and a postmaster.pid whose number now belongs to a process of the same user."""
    (fresh_data_dir / "postgres.new" / "base").mkdir(parents=True)
    with using_servers(fresh_data_dir):
        identity = POSTGRES.identity(fresh_data_dir)
    with subprocess.Popen(
        ["sleep", "60"], user=None if identity.is_current else identity.uid, start_new_session=True
    ) as stranger:
        pid_file = fresh_data_dir / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{fresh_data_dir / 'postgres'}\n1\n5432\n\n\n\nready\n")
        with using_servers(fresh_data_dir):
            assert POSTGRES.is_ready(fresh_data_dir)
        assert stranger.poll() is None
        stranger.kill()
    assert not (fresh_data_dir / "postgres.new").exists()


def test_sockets_are_reachable_by_their_owner_only(data_dir: Path) -> None:
    with using_servers(data_dir):
        for folder in (paths.postgres_socket_dir(data_dir), paths.own_socket_dir(data_dir)):
            assert folder.stat().st_mode & 0o777 == 0o700
        assert paths.postgres_socket_dir(data_dir).stat().st_uid == POSTGRES.identity(data_dir).uid


def test_data_dir_of_any_length_works(fresh_data_dir: Path) -> None:
    deep = fresh_data_dir / ("deep folder" * 10)
    with using_servers(deep):
        assert POSTGRES.is_ready(deep) and REDIS.is_ready(deep)
    shutil.rmtree(paths.socket_dir(deep))


def test_bad_appendfsync_is_refused_by_name(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_APPENDFSYNC", "sometimes")
    with pytest.raises(EmbeddedServerError, match="'sometimes'; it may be always, everysec, no"):
        REDIS.prepare(data_dir)
    with pytest.raises(NotReadyError, match="sometimes"), using_servers(data_dir):
        pass
    assert serving(data_dir) == []


def test_cluster_of_another_version_is_left_alone(fresh_data_dir: Path) -> None:
    (fresh_data_dir / "postgres").mkdir(parents=True)
    (fresh_data_dir / "postgres" / "PG_VERSION").write_text("16\n")

    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 16"):
        POSTGRES.prepare(fresh_data_dir)


def test_nothing_is_started_where_the_environment_names_both(
    fresh_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/goongdash")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")

    with using_servers(fresh_data_dir):
        assert not fresh_data_dir.exists()


def test_data_in_use_is_not_free_for_removal(fresh_data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert locks.main() == 0
    with using_servers(fresh_data_dir):
        assert locks.main() == 1
    assert "is in use" in capsys.readouterr().err
    assert locks.main() == 0
    assert os.listdir(fresh_data_dir)
