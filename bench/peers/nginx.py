"""nginx with Lua, once with its shared memory and once with a Redis script a request."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machine import program
from bench.stand import Contender, Serving, Stand, serving
from tests.processes import free_port

HERE = Path(__file__).parent
MODULES = Path("/usr/lib/nginx/modules")


@contextmanager
def _start(stand: Stand, mode: str) -> Iterator[Serving]:
    port = free_port()
    configuration = (
        (HERE / "nginx_lua" / "nginx.conf")
        .read_text()
        .format(
            modules=MODULES,
            user=getpass.getuser(),
            folder=stand.folder,
            mode=mode,
            here=HERE / "nginx_lua",
            keys=_keys_file(stand),
            socket=stand.redis_socket,
            script=HERE / "count_one.lua",
            port=port,
        )
    )
    path = stand.folder / f"{mode}.conf"
    path.write_text(configuration)
    with serving([program("nginx"), "-c", str(path), "-p", str(stand.folder)], port) as found:
        yield found


def _keys_file(stand: Stand) -> Path:
    """One key a line, as nginx_lua/keys.lua reads it."""
    path = stand.folder / "keys.tsv"
    rows = (
        (k.text, k.key_id, k.account_id, k.requests_per_day, k.requests_per_month, k.rate_limit, *k.patterns)
        for k in stand.keys
    )
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


NGINX_PEERS = [
    Contender(
        "nginx-lua",
        "nginx with Lua, counters in shared memory of one machine: compiled patterns, a fixed window of a second "
        "(ten may pass at its edge), day, month and money counters; all of them lost at a restart. Records nothing.",
        lambda stand: _start(stand, "memory"),
    ),
    Contender(
        "nginx-lua-redis",
        "nginx with Lua and one Redis script for each request: exact sliding rate, day, month, money, all or nothing, "
        "and one stream entry for each request. Keys are read once, at the start.",
        lambda stand: _start(stand, "store"),
        streams=("peer:nginx",),
    ),
]
