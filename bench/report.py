"""What `bench gate` found, as Markdown and as JSON. Pure but for the machine's name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bench.contenders import BY_NAME
from bench.gate import Found
from bench.machine import described, program, version
from bench.results import number, table

# What the gate is held against: the pace of one by that of the other, and what is hoped for.
GOALS = [
    ("gate", "hello", 0.60),
    ("gate", "haproxy", 1.2),
    ("gate", "nginx-lua-redis", 2.7),
    ("gate", "fastapi", 30.0),
    ("gate", "drf", 120.0),
    ("gate-always", "gate", 0.75),
    ("gate-nginx", "gate", 0.45),
    ("gate-two", "gate", None),
    ("gate-30s", "gate", None),
]
LIMITS_OF_THE_FIGURES = """\
**What these figures cannot show.** The load, the store and PostgreSQL share the second core, so that a server which
uses the store waits for a core that wrk keeps busy; with cores of their own, those would gain most. A loop over
127.0.0.1 has no network, no TLS and no lost packet. wrk's loop is closed: it asks less of a slow server. Two cores of a
virtual machine are shared with strangers; rounds alternate for that reason, and ratios say more than paces. The keys
are all in the gate's memory, but for `gate-30s`. A peer is configured by people who know the gate better; what it does
and does not do is said below, and one that records nothing is spared the store. The limits of nginx's memory and of
HAProxy live in one process and end with it; the gate's are the same across any number of them."""


def as_markdown(found: Found) -> str:
    names = list(dict.fromkeys(name for name, _ in found.paces))
    parts = [
        described() + " " + _versions(names),
        f"Medians of {found.plan.rounds} alternating rounds of {number(found.plan.seconds)} s; {found.n_keys:,} keys "
        "with one to three patterns, a few of which make most of the requests; 93 % of them allowed, 5 % refused with "
        "403 and 2 % with 429, checked in every run. The server has one core, wrk and Redis the other.",
        _pace_table(found, names),
        "Pace by connections:\n\n" + _connections_table(found, names),
        "Ratios of paces, at the first number of connections:\n\n" + _goal_table(found),
    ]
    if found.latencies:
        parts.append(_latency_part(found))
    if found.operations:
        rows = [[name, number(value)] for name, value in found.operations.items()]
        parts.append("For one decision, with every key known:\n\n" + table(["operation", "times"], rows))
    if found.figures:
        parts.append(table(["of the gate", "value"], [[name, number(value)] for name, value in found.figures.items()]))
    parts += [LIMITS_OF_THE_FIGURES, "\n".join(f"- `{name}`: {BY_NAME[name].does}" for name in names)]
    return "\n\n".join(parts)


def as_json(found: Found) -> dict[str, Any]:
    paces = [
        {"name": name, "connections": n, **asdict(pace), "median": pace.median, "median_per_cpu": pace.median_per_cpu}
        for (name, n), pace in found.paces.items()
    ]
    return {
        "rounds": found.plan.rounds,
        "seconds": found.plan.seconds,
        "n_keys": found.n_keys,
        "paces": paces,
        "memory_mib": found.memory_mib,
        "latencies": [asdict(each) for each in found.latencies],
        "operations": found.operations,
        "figures": found.figures,
    }


def _pace_table(found: Found, names: list[str]) -> str:
    first = found.plan.connections[0]
    rows = []
    for name in names:
        pace = found.paces[name, first]
        rows.append(
            [
                f"`{name}`",
                f"{pace.median:,.0f}",
                f"{min(pace.per_second):,.0f}–{max(pace.per_second):,.0f}",
                f"{pace.median_per_cpu:,.0f}",
                f"{pace.median_share_of_store:.0%}",
                number(found.memory_mib[name]),
            ]
        )
    head = [f"{first} connections", "a second", "from–to", "a CPU second, store's too", "of it the store's", "MiB"]
    return table(head, rows)


def _connections_table(found: Found, names: list[str]) -> str:
    numbers = found.plan.connections
    rows = [[f"`{name}`", *(f"{found.paces[name, n].median:,.0f}" for n in numbers)] for name in names]
    return table(["connections", *map(str, numbers)], rows)


def _goal_table(found: Found) -> str:
    first = found.plan.connections[0]
    rows = []
    for name, other, goal in GOALS:
        if (name, first) in found.paces and (other, first) in found.paces:
            ratio = found.paces[name, first].median / found.paces[other, first].median
            rows.append([f"`{name}` ÷ `{other}`", number(ratio), "" if goal is None else f"≥ {number(goal)}"])
    if ("gate", first) in found.paces and ("haproxy", first) in found.paces:
        ratio = found.paces["gate", first].median_per_cpu / found.paces["haproxy", first].median_per_cpu
        rows.append(["`gate` ÷ `haproxy`, a CPU second", number(ratio), "≥ 1.00"])
    return table(["ratio", "found", "goal"], rows)


def _latency_part(found: Found) -> str:
    rows = [
        [f"`{each.name}`", f"{each.p50_ms:.2f}", f"{each.p99_ms:.2f}", f"{each.max_ms:.2f}"] for each in found.latencies
    ]
    return (
        f"Milliseconds at three tenths of the gate's pace ({found.latencies[0].rate:,.0f} a second), at times fixed "
        "beforehand, from when each request was due; what `hello` shows is the generator's own, which has the "
        "store's core. Goal: p99 below 2.\n\n" + table(["at a constant rate", "p50", "p99", "worst"], rows)
    )


def _versions(names: list[str]) -> str:
    known = {"nginx": ("nginx", "-v"), "haproxy": ("haproxy", "-v"), "fastify": ("node", "--version")}
    told = {word: version(program(line[0]), *line[1:]) for word, line in known.items() if any(word in n for n in names)}
    return ", ".join(f"{'node' if word == 'fastify' else word} {number}" for word, number in told.items()) + "."
