"""Development's made-up secrets are made once, kept, and readable by their owner only."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from goongdash.secrets import development_secrets
from tests.processes import ROOT

_PRINT_ON_SIGNAL = """
import json, pathlib, sys
from goongdash.secrets import development_secrets
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(development_secrets(pathlib.Path(sys.argv[1]))), flush=True)
"""


def test_secrets_are_long_distinct_and_kept(tmp_path: Path) -> None:
    made = development_secrets(tmp_path / "data")

    assert set(made) == {"SECRET_KEY", "KEY_LOOKUP_SECRET", "KEY_ENCRYPTION_SECRET"}
    assert len(set(made.values())) == 3
    assert all(len(secret) >= 32 for secret in made.values())
    assert development_secrets(tmp_path / "data") == made
    assert development_secrets(tmp_path / "other") != made


def test_secrets_are_for_their_owner_only_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    development_secrets(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


def test_processes_that_start_at_once_get_the_same_secrets(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PRINT_ON_SIGNAL, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    printed = [json.loads(process.communicate()[0]) for process in processes]

    assert printed == [json.loads((tmp_path / "secrets.json").read_text())] * 4


def test_threads_that_start_at_once_get_the_same_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(development_secrets, [tmp_path / "data"] * 24))

    assert len({json.dumps(each) for each in got}) == 1


def test_what_a_killed_start_left_does_not_stop_the_next(tmp_path: Path) -> None:
    for number in range(1, 200):
        (tmp_path / f"secrets.{number}.tmp").write_text("{")

    assert len(development_secrets(tmp_path)) == 3
