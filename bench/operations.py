"""What one decision costs in commands of Redis and in transactions of PostgreSQL, once every key is known."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import cast

from django.db import connection

from bench.servers import set_appendfsync, tidy_store
from bench.throughput import Running
from bench.wrk import check_shares, wrk_run
from stats.stream import redis_client

CONNECTIONS = 64
TOLD = ("evalsha", "hmget", "hset", "incrby", "xadd")
# PostgreSQL tells its sums to others a second late at the most.
_STATISTICS_DELAY_S = 1.5


def measure(gate: Running, due: Mapping[int, float], *, seconds: float) -> dict[str, float]:
    """Figures per decision, by name; nothing is ingested meanwhile."""
    set_appendfsync(gate.contender.appendfsync)
    before = _commands(), _transactions()
    run = wrk_run(gate.serving.port, gate.requests, connections=CONNECTIONS, seconds=seconds)
    check_shares(gate.contender.name, run, due)
    commands, transactions = _commands() - before[0], _transactions() - before[1]
    tidy_store()
    return {
        **{f"Redis {name.upper()}": commands[name] / run.n for name in TOLD},
        "Redis commands in all, those inside scripts too": commands.total() / run.n,
        "PostgreSQL transactions": (transactions - 1) / run.n,
    }


def _commands() -> Counter[str]:
    """How often each command was called since the store's start."""
    told = cast("dict[str, dict[str, int]]", redis_client().info("commandstats"))
    return Counter({name.removeprefix("cmdstat_"): facts["calls"] for name, facts in told.items()})


def _transactions() -> int:
    """Committed or not; the look before is one of them."""
    time.sleep(_STATISTICS_DELAY_S)
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
        ((n,),) = cursor.fetchall()
    # What this connection did is told when it ends.
    connection.close()
    return int(n)
