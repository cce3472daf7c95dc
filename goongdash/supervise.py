"""From the Procfile to supervisord's configuration. Pure: text in, text out.

supervisord restarts whatever dies. PostgreSQL and Redis start first and stop last; what stands on them starts
when the run says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

SERVERS = ("postgres", "redis")
SERVER_GROUP = "servers"
PROGRAM_GROUP = "programs"

_LINE = re.compile(r"^([A-Za-z][A-Za-z0-9_-]*):\s*(\S.*)$")


class ProcfileError(Exception):
    """The Procfile cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """What supervisord is told besides the programs. `output_paths`: where each program's output goes."""

    root: Path
    pid_file: Path
    log_file: Path
    socket: Path
    password: str
    output_paths: Mapping[str, str]
    n_processes: Mapping[str, int]
    user: str | None = None


def read_procfile(text: str) -> dict[str, str]:
    """`name: command` lines, in their order. Empty lines and `#` comments are passed over.

    Raises `ProcfileError` on any other line, and on a name that comes twice.
    """
    commands: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None or match[1] in commands:
            raise ProcfileError(f"Procfile line {number} is no new `name: command`: {line}")
        commands[match[1]] = match[2].strip()
    return commands


def expand(command: str, variables: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` put in, word by word, so that a value with blanks stays one word. No shell runs.

    Raises `ProcfileError` for a variable that is not set.
    """
    try:
        words = [Template(word).substitute(variables) for word in shlex.split(command)]
    except (KeyError, ValueError) as error:
        raise ProcfileError(f"Procfile command `{command}` cannot be expanded: {error}") from None
    return shlex.join(words)


def configuration(commands: Mapping[str, str], supervision: Supervision) -> str:
    """supervisord.conf for these (expanded) commands. Of all groups only the servers start by themselves."""
    servers = [name for name in commands if name in SERVERS]
    programs = [name for name in commands if name not in SERVERS]
    sections = [
        *_control(supervision),
        *_group(SERVER_GROUP, servers, priority=1),
        *_group(PROGRAM_GROUP, programs, priority=10),
        *(_program(name, command, supervision) for name, command in commands.items()),
    ]
    return "\n".join(_section(title, values) for title, values in sections)


_Section = tuple[str, dict[str, str | int | Path]]


def _control(supervision: Supervision) -> list[_Section]:
    return [
        ("unix_http_server", {"file": supervision.socket, "chmod": "0700", **_login(supervision)}),
        (
            "supervisord",
            {
                "nodaemon": "true",
                "loglevel": "warn",
                "logfile": supervision.log_file,
                "logfile_maxbytes": "1MB",
                "logfile_backups": 1,
                "pidfile": supervision.pid_file,
                "directory": supervision.root,
                **({"user": supervision.user} if supervision.user else {}),
            },
        ),
        (
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]


def _login(supervision: Supervision) -> dict[str, str | int | Path]:
    """The folder keeps others from the socket; without a password supervisord would warn at every start."""
    return {"username": "run", "password": supervision.password}


def _group(name: str, members: Collection[str], *, priority: int) -> list[_Section]:
    if not members:
        return []
    return [(f"group:{name}", {"programs": ",".join(members), "priority": priority})]


def _program(name: str, command: str, supervision: Supervision) -> _Section:
    """One program. Stopping signals its first process, which ends its children in order; killing means all.

    Supervisord gives up after `startretries` quick deaths, a second longer apart each; the run then says so
    and tries again.
    """
    is_server = name in SERVERS
    return (
        f"program:{name}",
        {
            "command": command,
            "process_name": "%(program_name)s_%(process_num)d",
            "numprocs": supervision.n_processes.get(name, 1),
            "autostart": "true" if is_server else "false",
            "autorestart": "true",
            "startsecs": 1,
            "startretries": 10,
            "stopsignal": "INT" if name == "postgres" else "TERM",
            "stopwaitsecs": 30 if is_server else 10,
            "stopasgroup": "false",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": supervision.output_paths[name],
            "stdout_logfile_maxbytes": 0,
            "stdout_logfile_backups": 0,
        },
    )


def _section(title: str, values: Mapping[str, str | int | Path]) -> str:
    lines = [f"{key} = {_escaped(key, value)}" for key, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])


def _escaped(key: str, value: str | int | Path) -> str:
    """supervisord reads `%(name)s` in every value, and we want that in one only; ` ;` begins a comment."""
    text = str(value)
    if "\n" in text or " ;" in text or " #" in text:
        raise ProcfileError(f"supervisord cannot be told of {text!r}: no line break, ` ;` or ` #` may be in it.")
    return text if key == "process_name" else text.replace("%", "%%")
