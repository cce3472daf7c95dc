"""What PostgreSQL and Redis have in common here: prepare, start in the foreground, answer, stop."""

from __future__ import annotations

import contextlib
import importlib.util
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from goongdash.embedded import processes
from goongdash.embedded.errors import NotInstalledError
from goongdash.embedded.folders import Identity


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of server. `folder` below `data_dir` holds its data, and is its working folder."""

    name: str
    program: str
    stop_signal: signal.Signals
    stop_timeout_s: float
    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str]]
    identity: Callable[[Path], Identity]
    is_ready: Callable[[Path], bool]
    pid_files: Callable[[Path], list[Path]]

    def folder(self, data_dir: Path) -> Path:
        return data_dir / self.name

    def log(self, data_dir: Path) -> Path:
        return data_dir / "log" / f"{self.name}.log"

    def log_tail(self, data_dir: Path, n_lines: int = 12) -> str:
        """The last lines of the log, for a message that says why the server does not start."""
        with contextlib.suppress(OSError):
            lines = self.log(data_dir).read_text(errors="replace").splitlines()
            return "\n".join(lines[-n_lines:])
        return ""

    def is_running(self, data_dir: Path) -> bool:
        return bool(processes.serving(self.program, self.folder(data_dir)))

    def stop(self, data_dir: Path) -> None:
        """Stop whatever serves this folder, whoever started it, and wait until it is gone."""
        found = processes.serving(self.program, self.folder(data_dir))
        processes.stop(found, signum=self.stop_signal, timeout_s=self.stop_timeout_s)


def packaged_program(package: str, path: str) -> Path:
    """A program inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotInstalledError(
            f"The package {package} is missing. Install the dependency group `embedded`, "
            "or set DATABASE_URL and REDIS_URL."
        )
    return (Path(spec.submodule_search_locations[0]) / path).resolve()
