"""`make run`, for real, on a small project that stands in for ours: two programs that answer, real servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from goongdash.embedded import locks, paths, processes
from goongdash.embedded.postgres import SERVER as POSTGRES
from goongdash.embedded.redis import SERVER as REDIS
from goongdash.embedded.servers import stop_all
from goongdash.plan import MARK
from tests.processes import free_port

PROCFILE = """\
postgres: python -m goongdash.embedded postgres
redis: python -m goongdash.embedded redis
web: python answer.py $PORT
gate: python answer.py $GATE_PORT
"""

MANAGE = """\
import json, os, sys
assert os.environ["DATABASE_URL"] and os.environ["REDIS_URL"]
if sys.argv[1] == "seed_demo":
    print(json.dumps({"email": "demo@example.com", "password": "word", "keys": {"rest": "gr_1"}}))
"""

# Its child must not outlive it either: it stands for the workers of granian and Celery.
ANSWER = """\
import subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Project:
    """A folder with a Procfile, and the environment of its runs."""

    def __init__(self, folder: Path) -> None:
        self.root, self.data_dir = folder, folder / "data"
        self.port, self.gate_port = free_port(), free_port()
        for name, text in {"Procfile": PROCFILE, "manage.py": MANAGE, "answer.py": ANSWER}.items():
            (folder / name).write_text(text)

    def start(self, **variables: str) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "HOST", "GATE_HOST")}
        # One: what stands for the gate here shares its port with nobody.
        own = {"DATA_DIR": self.data_dir, "PORT": self.port, "GATE_PORT": self.gate_port, "GATE_PROCESSES": 1}
        return subprocess.Popen(
            [sys.executable, "-m", "goongdash.run", "--root", str(self.root)],
            cwd=paths.BASE_DIR,
            env={
                **inherited,
                "PYTHONPATH": str(paths.BASE_DIR),
                **{k: str(v) for k, v in own.items()},
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def programs(self) -> list[psutil.Process]:
        """Everything alive that belongs to a run of this folder."""
        servers = [processes.serving(server.program, server.folder(self.data_dir)) for server in (POSTGRES, REDIS)]
        return sum(servers, processes.marked(MARK, str(self.data_dir)))

    def find(self, *words: str) -> psutil.Process | None:
        found = [process for process in self.programs() if process.cmdline()[-len(words) :] == list(words)]
        return found[0] if found else None


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One for all tests, so that the cluster in it is made once. Not `tmp_path`: see test_embedded.py."""
    folder = Path(tempfile.mkdtemp(prefix="goongdash-test-", dir="/tmp")).resolve()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    project = Project(folder)
    assert project.programs() == []
    yield project
    processes.stop(processes.marked(MARK, str(project.data_dir)), signum=signal.SIGTERM, timeout_s=20)
    stop_all(project.data_dir)


def read_until(run: subprocess.Popen[str], text: str) -> str:
    assert run.stdout is not None
    read = ""
    for line in run.stdout:
        read += line
        if text in line:
            return read
    raise AssertionError(f"The run ended without {text!r}:\n{read}")


@contextmanager
def running(project: Project) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A ready run, and what it printed; stopped at the end, where the test has not done so."""
    with project.start() as run:
        try:
            yield run, read_until(run, "Ctrl-C stops everything")
        finally:
            run.terminate()
            run.communicate(timeout=60)


def eventually(holds: Callable[[], object], timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "It did not come true in time."
        time.sleep(0.1)


def stop(run: subprocess.Popen[str], signum: signal.Signals) -> None:
    run.send_signal(signum)
    rest, _ = run.communicate(timeout=30)
    assert run.returncode == 0
    assert rest.endswith("Stopped.\n")


def test_ready_run_refuses_a_second_one_and_leaves_nothing_at_sigterm(project: Project) -> None:
    with running(project) as (run, printed):
        assert f"http://127.0.0.1:{project.port}\n" in printed
        assert "demo@example.com  word" in printed
        assert re.search(rf"curl 'http://127.0.0.1:{project.gate_port}/Geocode\?\S+&api_key=gr_1'", printed)

        before = {process.pid for process in project.programs()}
        with project.start(PORT=str(free_port()), GATE_PORT=str(free_port())) as second:
            said, _ = second.communicate(timeout=30)
        assert second.returncode == 1
        assert f"process {run.pid}, http://127.0.0.1:{project.port}" in said
        assert {process.pid for process in project.programs()} == before
        info = locks.read_run_info(project.data_dir)
        assert info == locks.RunInfo(run.pid, f"http://127.0.0.1:{project.port}", ["postgres", "redis"])

        stop(run, signal.SIGTERM)
    assert project.programs() == []


def test_what_is_killed_is_started_again_and_ctrl_c_leaves_nothing(project: Project) -> None:
    with running(project) as (run, _):
        gate = project.find("answer.py", str(project.gate_port))
        (redis, *_) = processes.serving(REDIS.program, REDIS.folder(project.data_dir))
        postgres = next(process for process in project.programs() if "-D" in process.cmdline())
        assert gate is not None
        (child,) = gate.children()
        for process in (gate, redis, postgres):
            process.kill()

        eventually(lambda: not any(processes.is_alive(process) for process in (gate, redis, postgres, child)))
        eventually(lambda: project.find("answer.py", str(project.gate_port)))
        eventually(lambda: REDIS.is_ready(project.data_dir) and POSTGRES.is_ready(project.data_dir))
        stop(run, signal.SIGINT)
    assert project.programs() == []


def test_death_of_the_supervisor_ends_the_run_and_all_of_it(project: Project) -> None:
    with running(project) as (run, _):
        os.kill(int((project.data_dir / "supervisord.pid").read_text()), signal.SIGKILL)
        said, _ = run.communicate(timeout=30)

    assert run.returncode == 1
    assert "supervisord has ended" in said
    assert project.programs() == []


def test_next_run_ends_what_a_killed_run_left(project: Project) -> None:
    with running(project) as (run, _):
        run.kill()
    left = project.programs()
    assert left

    with running(project):
        assert not any(processes.is_alive(process) for process in left)
    assert project.programs() == []


def test_port_in_use_is_named_before_anything_starts(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.gate_port)), project.start() as run:
        said, _ = run.communicate(timeout=30)

    assert run.returncode == 1
    assert f"Port {project.gate_port}" in said and "Set GATE_PORT to a free one" in said
    assert project.programs() == []


def test_bad_number_is_refused_by_name(project: Project) -> None:
    with project.start(PORT="80a") as run:
        said, _ = run.communicate(timeout=30)

    assert (run.returncode, said) == (1, "PORT is '80a'; it must be a whole number from 1 to 65535.\n")


def test_failing_command_stops_the_run(project: Project) -> None:
    (project.root / "manage.py").write_text("raise SystemExit('No such table.')")
    with project.start() as run:
        said, _ = run.communicate(timeout=30)

    assert run.returncode == 1
    assert "No such table." in said and "manage.py migrate failed." in said
    assert project.programs() == []


def test_run_info_is_json_for_scripts(project: Project) -> None:
    with locks.run_lock(project.data_dir) as lock:
        assert lock.try_exclusive()
        lock.write("")
        assert locks.read_run_info(project.data_dir) == locks.RunInfo(0, "", [])
        locks.write_run_info(lock, locks.RunInfo(1, "http://x", ["redis"]))
        assert json.loads(lock.read()) == {"pid": 1, "url": "http://x", "servers": ["redis"]}
    assert locks.read_run_info(project.data_dir) is None


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"USAGE_SHARDS": "0"}, "USAGE_SHARDS"),
        ({"BILLING_TIME_ZONE": "Mars"}, "BILLING_TIME_ZONE"),
        ({"REDIS_APPENDFSYNC": "maybe"}, "REDIS_APPENDFSYNC"),
        ({"GATE_PUBLIC_URL": "foo"}, "GATE_PUBLIC_URL"),
        ({"PORT": "8460", "GATE_PORT": "8460"}, "PORT and GATE_PORT"),
        ({"GOONGDASH_ENV": "production"}, "SECRET_KEY"),
    ],
)
def test_bad_value_is_named_before_anything_starts(project: Project, variables: dict[str, str], named: str) -> None:
    with project.start(**variables) as run:
        said, _ = run.communicate(timeout=30)
    assert run.returncode == 1
    assert named in said
    assert len(said.splitlines()) <= 3
    assert project.programs() == []
