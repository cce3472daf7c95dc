"""`python -m goongdash.embedded postgres|redis`: prepare one server and become it, in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from goongdash.embedded import paths
from goongdash.embedded.errors import EmbeddedServerError
from goongdash.embedded.server import Server
from goongdash.embedded.servers import servers_named

LOG_LIMIT_BYTES = 10_000_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m goongdash.embedded", description=__doc__)
    parser.add_argument("server", choices=["postgres", "redis"])
    (server,) = servers_named([parser.parse_args().server])
    data_dir = paths.data_dir()
    try:
        server.prepare(data_dir)
        _clear_the_way(server, data_dir)
    except EmbeddedServerError as error:
        print(error, file=sys.stderr)
        return 1
    _become(server, data_dir)


def _clear_the_way(server: Server, data_dir: Path) -> None:
    """Stop what an earlier, killed supervisor left serving this folder, and forget the pid files of the dead.

    PostgreSQL would refuse to start while a killed server's children are still about, where another process
    of the same user has got the old pid meanwhile, or where its own corpse still has it.
    """
    server.stop(data_dir)
    for pid_file in server.pid_files(data_dir):
        pid_file.unlink(missing_ok=True)


def _become(server: Server, data_dir: Path) -> NoReturn:
    words = server.command(data_dir)
    who = server.identity(data_dir)
    _log_to(server.log(data_dir))
    os.chdir(server.folder(data_dir))
    os.umask(0o077)
    who.become()
    os.execv(words[0], words)  # noqa: S606 — no shell is wanted.


def _log_to(log: Path) -> None:
    """From here on all output goes to the log, of which one older part is kept."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


if __name__ == "__main__":
    sys.exit(main())
