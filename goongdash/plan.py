"""What a run is asked to do: read from the environment, and told to all that it starts."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from goongdash.embedded import paths

# In the environment of all that a run starts, so that the next run finds what a killed one has left.
MARK = "GOONGDASH_RUN"


class RunError(Exception):
    """The run cannot start, or cannot go on; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the environment asks this run to do."""

    root: Path
    data_dir: Path
    host: str
    port: int
    gate_host: str
    gate_port: int
    n_gates: int
    n_web_workers: int
    servers: tuple[str, ...]
    seeds_demo: bool

    @classmethod
    def from_environment(cls, root: Path) -> Plan:
        """Raises RunError for a value that no run can use."""
        plan = cls(
            root=root,
            data_dir=paths.data_dir(),
            host=os.environ.get("HOST") or "127.0.0.1",
            port=_number("PORT", 8000),
            gate_host=os.environ.get("GATE_HOST") or "127.0.0.1",
            gate_port=_number("GATE_PORT", 8001),
            n_gates=_number("GATE_PROCESSES", len(os.sched_getaffinity(0))),
            n_web_workers=_number("WEB_WORKERS", 2),
            servers=paths.needed_servers(),
            seeds_demo=os.environ.get("GOONGDASH_ENV") != "production",
        )
        if plan.port == plan.gate_port:
            # The gate shares its port with its siblings, and would share it with the dashboard.
            raise RunError(f"PORT and GATE_PORT are both {plan.port}; they must differ.")
        return plan

    @property
    def url(self) -> str:
        return f"http://{_reachable(self.host)}:{self.port}"

    @property
    def gate_url(self) -> str:
        return f"http://{_reachable(self.gate_host)}:{self.gate_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every child: everything explicit, and this interpreter's programs first."""
        given = {
            **os.environ,
            "DATA_DIR": str(self.data_dir),
            "HOST": self.host,
            "PORT": str(self.port),
            "GATE_HOST": self.gate_host,
            "GATE_PORT": str(self.gate_port),
            "GATE_PROCESSES": str(self.n_gates),
            "WEB_WORKERS": str(self.n_web_workers),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",
            MARK: str(self.data_dir),
        }
        if "postgres" in self.servers:
            given["DATABASE_URL"] = paths.database_url(self.data_dir)
        if "redis" in self.servers:
            given["REDIS_URL"] = paths.redis_url(self.data_dir)
        return given


def _reachable(host: str) -> str:
    """An address to call for the one listened on."""
    known = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 — read, not bound.
    return known.get(host) or (f"[{host}]" if ":" in host else host)


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise RunError(f"{variable} is {text!r}; it must be a whole number from 1 to 65535.")
    return int(text)
