"""`python -m bench gate`: the gate against floors and peers; see `bench/report.py` for what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import latency, operations
from bench.contenders import BY_NAME
from bench.keys import make_keys
from bench.latency import Latency
from bench.stand import Stand
from bench.throughput import Paces, Plan, Running, measure, memory_mib, started
from bench.workload import make_questions, shares


@dataclass(slots=True)
class Found:
    """All that one run of the command measured; `figures` are single ones, by name."""

    plan: Plan
    n_keys: int
    paces: Paces = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)
    latencies: list[Latency] = field(default_factory=list)
    operations: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


def run(data_dir: Path, names: Sequence[str], plan: Plan, n_keys: int) -> Found:
    """Measures the contenders with these names, and what needs the gate if it is one of them. Raises WrongAnswers.

    The servers of `data_dir` are up.
    """
    found = Found(plan, n_keys)
    with ExitStack() as stack:
        folder = data_dir / "bench"
        folder.mkdir()
        keys = make_keys(n_keys)
        stand = Stand(data_dir, folder, keys, make_questions(keys), found.figures)
        running = started(stand, [BY_NAME[name] for name in names], stack)
        found.paces = measure(stand, running, plan)
        found.memory_mib = {each.contender.name: memory_mib(each) for each in running}
        gate = next((each for each in running if each.contender.name == "gate"), None)
        if gate is not None:
            _measure_gate(gate, running, shares(stand.questions), found)
    return found


def _measure_gate(gate: Running, running: Sequence[Running], due: Mapping[int, float], found: Found) -> None:
    plan = found.plan
    rate = found.paces["gate", plan.connections[0]].median * latency.SHARE_OF_PACE
    found.latencies = latency.measure(running, due, rate, rounds=plan.rounds, seconds=plan.seconds)
    found.operations = operations.measure(gate, due, seconds=plan.seconds)
