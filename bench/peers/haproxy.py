"""HAProxy with maps and stick-tables: the fastest that decides at all, in C, and in the memory of one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.keys import PLENTY, RATE_LIMIT
from bench.machine import program
from bench.stand import Contender, Serving, Stand, serving
from tests.processes import free_port

CONFIGURATION = Path(__file__).parent / "haproxy" / "haproxy.cfg"


@contextmanager
def _start(stand: Stand) -> Iterator[Serving]:
    port = free_port()
    (stand.folder / "keys.map").write_text(
        "".join(f"{key.text} {key.key_id}:{key.account_id}:{key.requests_per_day}\n" for key in stand.keys)
    )
    (stand.folder / "places.map").write_text(
        "".join(f"{key.key_id}|{_host(pattern)} 1\n" for key in stand.keys for pattern in key.patterns)
    )
    path = stand.folder / "haproxy.cfg"
    path.write_text(
        CONFIGURATION.read_text().format(folder=stand.folder, port=port, rate_limit=RATE_LIMIT, per_month=PLENTY)
    )
    with serving([program("haproxy"), "-f", str(path)], port) as found:
        yield found


def _host(pattern: str) -> str:
    return pattern.removeprefix("http*://").removesuffix("/*")


HAPROXY_PEERS = [
    Contender(
        "haproxy",
        "HAProxy, one thread, keys and hosts in maps, limits in stick-tables of its own memory: a sliding rate by "
        "estimate, counters a day and a month that begin at the first request and are lost at a restart. A host is "
        "looked up with at most its first label left out; no paths, no money. Records nothing.",
        _start,
    ),
]
