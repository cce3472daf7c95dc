"""Load by wrk, on its own core, and the proof that what was answered is what was to be measured."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.cores import LOAD_CORE, pinned
from bench.machine import program

SCRIPT = Path(__file__).with_name("wrk_requests.lua")
# What chance may add to a share is worked out from the number of answers; this is for all else.
TOLERANCE = 0.004


class WrongAnswers(RuntimeError):
    """A server answered otherwise than it should, so that its pace means nothing; `args[0]` says how."""


@dataclass(frozen=True, slots=True)
class WrkRun:
    """One run. `n_refused` answers were neither 2xx nor 3xx; `statuses` is empty unless they were counted."""

    n: int
    seconds: float
    n_refused: int
    n_failed: int
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        return self.n / self.seconds


def wrk_run(
    port: int, requests: Path, *, connections: int, seconds: float, first: int = 0, counts: bool = False
) -> WrkRun:
    """Closed loop: each of the connections sends its next request when it has its answer."""
    # wrk takes whole seconds only.
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    command += ["-s", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", str(requests), str(first), str(int(counts))]
    done = subprocess.run(pinned(LOAD_CORE, command), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    statuses = {int(status): n for status, n in said["statuses"].items()}
    return WrkRun(said["n"], said["duration_us"] / 1e6, said["n_refused"], said["n_failed"], statuses)


def check_shares(name: str, run: WrkRun, expected: Mapping[int, float]) -> None:
    """Raises WrongAnswers unless every status, or where they were not counted the refusals, came as often as due."""
    if run.n_failed or run.n == 0:
        raise WrongAnswers(f"{name}: {run.n_failed} of {run.n} requests had no answer.")
    if run.statuses:
        found = {status: n / run.n for status, n in run.statuses.items()}
    else:
        found = {200: 1 - run.n_refused / run.n, 0: run.n_refused / run.n}
        expected = {200: expected.get(200, 0.0), 0: 1 - expected.get(200, 0.0)}
    for status in found.keys() | expected.keys():
        share, due = found.get(status, 0.0), expected.get(status, 0.0)
        if abs(share - due) > (TOLERANCE + 4 * math.sqrt(due * (1 - due) / run.n) if due else 0.0):
            raise WrongAnswers(f"{name}: {found} answered, {dict(expected)} expected.")
