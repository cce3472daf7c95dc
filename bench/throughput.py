"""Decisions a second, and a second of processor time, of all contenders in turn."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from bench.answers import ask_each
from bench.cpu import cpu_seconds, rss_bytes
from bench.servers import redis_processes, set_appendfsync, tidy_store
from bench.stand import Contender, Serving, Stand
from bench.wrk import check_shares, wrk_run

WARM_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `connections` are the numbers of them; the first is the one that is reported first."""

    rounds: int
    seconds: float
    connections: tuple[int, ...] = (64, 8, 256)


@dataclass(slots=True)
class Pace:
    """What the runs of one contender over so many connections came to."""

    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    cpu_share_of_store: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.per_second)

    @property
    def median_per_cpu(self) -> float:
        return statistics.median(self.per_cpu_second)

    @property
    def median_share_of_store(self) -> float:
        return statistics.median(self.cpu_share_of_store)


Paces = dict[tuple[str, int], Pace]


@dataclass(frozen=True, slots=True)
class Running:
    """A contender that serves, and the file of what it is asked."""

    contender: Contender
    serving: Serving
    requests: Path


def started(stand: Stand, contenders: Sequence[Contender], stack: ExitStack) -> list[Running]:
    """All of them, each asked once with every key whose quota is one, so that the mix is steady from the start."""
    running = []
    for contender in tqdm(contenders, desc="starting", unit="server"):
        serving = stack.enter_context(contender.start(stand))
        path = stand.folder / f"{contender.name}.requests"
        requests = contender.requests(stand)
        path.write_bytes(b"".join(requests))
        used_up = [r for r, question in zip(requests, stand.questions, strict=True) if question.status == 429]
        ask_each(serving.port, used_up[:200], n_connections=1)
        running.append(Running(contender, serving, path))
    return running


def measure(stand: Stand, running: Sequence[Running], plan: Plan) -> Paces:
    """Alternating rounds, so that a slow minute of the machine is everybody's. Raises WrongAnswers."""
    paces: Paces = defaultdict(Pace)
    for n_round, connections, each in tqdm(list(_runs(running, plan)), desc="measuring", unit="run"):
        _measure_once(stand, each, connections, plan.seconds, n_round, paces[each.contender.name, connections])
    return dict(paces)


def _runs(running: Sequence[Running], plan: Plan) -> Iterator[tuple[int, int, Running]]:
    for n_round in range(plan.rounds):
        for connections in plan.connections:
            # Every other round the other way about, so that nobody always follows the same one.
            for each in running if n_round % 2 == 0 else reversed(running):
                yield n_round, connections, each


def _measure_once(stand: Stand, each: Running, connections: int, seconds: float, n_round: int, pace: Pace) -> None:
    contender, serving = each.contender, each.serving
    due = contender.due_shares(stand.questions)
    set_appendfsync(contender.appendfsync)
    first = (n_round * 37_013) % len(stand.questions)
    counted = wrk_run(
        serving.port, each.requests, connections=connections, seconds=WARM_SECONDS, first=first, counts=True
    )
    check_shares(contender.name, counted, due)
    store = redis_processes(stand.data_dir)
    before = cpu_seconds(serving.processes), cpu_seconds(store)
    run = wrk_run(serving.port, each.requests, connections=connections, seconds=seconds, first=first + counted.n)
    check_shares(contender.name, run, due)
    of_server, of_store = cpu_seconds(serving.processes) - before[0], cpu_seconds(store) - before[1]
    pace.per_second.append(run.per_second)
    pace.per_cpu_second.append(run.n / (of_server + of_store))
    pace.cpu_share_of_store.append(of_store / (of_server + of_store))
    tidy_store(*contender.streams)


def memory_mib(each: Running) -> float:
    return rss_bytes(each.serving.processes) / 2**20
