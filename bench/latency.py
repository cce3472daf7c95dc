"""How long an answer takes at three tenths of the pace that the gate can keep, beside the floor at the same rate."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.cores import LOAD_CORE, pinned
from bench.servers import set_appendfsync, tidy_store
from bench.throughput import Running
from bench.wrk import WrkRun, check_shares
from tests.processes import ROOT

SHARE_OF_PACE = 0.3
CONNECTIONS = 64
NAMES = ("hello", "gate", "gate-always", "gate-nginx")


@dataclass(frozen=True, slots=True)
class Latency:
    """Medians over the rounds, in milliseconds from when each request was due, at `rate` requests a second."""

    name: str
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float


def measure(
    running: Sequence[Running], due: Mapping[int, float], rate: float, *, rounds: int, seconds: float
) -> list[Latency]:
    """Of those in NAMES that run; the floor says what the generator itself adds.

    Raises WrongAnswers unless the shares of statuses are those of `due`, or what the contender itself is due.
    """
    chosen = [each for each in running if each.contender.name in NAMES]
    found: dict[str, list[dict[str, float]]] = {each.contender.name: [] for each in chosen}
    for _ in range(rounds):
        for each in chosen:
            set_appendfsync(each.contender.appendfsync)
            found[each.contender.name].append(_measure_once(each, each.contender.expected or due, rate, seconds))
            tidy_store(*each.contender.streams)
    return [
        Latency(name, rate, *(statistics.median(run[of] for run in runs) for of in ("p50_ms", "p99_ms", "max_ms")))
        for name, runs in found.items()
    ]


def _measure_once(each: Running, due: Mapping[int, float], rate: float, seconds: float) -> dict[str, float]:
    arguments = [str(each.serving.port), str(rate), str(seconds), str(CONNECTIONS), str(each.requests)]
    command = pinned(LOAD_CORE, [sys.executable, "-m", "bench.openloop", *arguments])
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    said = json.loads(done.stdout)
    statuses = {int(status): n for status, n in said.pop("statuses").items()}
    check_shares(each.contender.name, WrkRun(said["n"], seconds, 0, 0, statuses), due)
    return {name: float(value) for name, value in said.items()}
