"""One supervisord process: start it, ask it, stop it with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from goongdash.output import Output
from goongdash.supervise import Supervision, configuration

OWN_NAME = "supervisor"
STOP_TIMEOUT_S = 90


class Supervisord:
    def __init__(self, process: subprocess.Popen[bytes], supervision: Supervision, output: Output) -> None:
        self._process = process
        self._output = output
        transport = SupervisorTransport("run", supervision.password, f"unix://{supervision.socket}")
        self._rpc = xmlrpc.client.ServerProxy("http://localhost", transport=transport)

    @classmethod
    def start(
        cls,
        *,
        commands: Mapping[str, str],
        supervision: Supervision,
        output: Output,
        config_file: Path,
        environment: Mapping[str, str],
    ) -> Supervisord:
        """In a session of its own: a Ctrl-C at the terminal reaches only the run, which stops it in order."""
        config_file.unlink(missing_ok=True)
        with os.fdopen(os.open(config_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(configuration(commands, supervision))
        process = subprocess.Popen(  # noqa: S603 — our own configuration.
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config_file)],
            cwd=supervision.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output.write_fd(OWN_NAME),
            stderr=output.write_fd(OWN_NAME),
            pass_fds=output.write_fds,
            start_new_session=True,
        )
        output.start()
        return cls(process, supervision, output)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_answering(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.is_alive and time.monotonic() < deadline:
            with contextlib.suppress(OSError, xmlrpc.client.Error):
                self._call("getState")
                return True
            time.sleep(0.05)
        return False

    def start_group(self, name: str) -> None:
        self._call("startProcessGroup", name, False)

    def failed(self) -> list[str]:
        """The processes that supervisord has given up, as `group:process`. Empty while it does not answer."""
        return [f"{info['group']}:{info['name']}" for info in self._infos() if info["statename"] == "FATAL"]

    def pids(self) -> dict[str, int]:
        """The running processes, as `group:process`."""
        return {f"{info['group']}:{info['name']}": info["pid"] for info in self._infos() if info["pid"]}

    def retry(self, name: str) -> None:
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            self._call("startProcess", name, False)

    def stop(self) -> None:
        """Stop all programs, the servers last, then supervisord; return when it is gone."""
        if self.is_alive:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.join(timeout_s=2)

    def _infos(self) -> list[dict[str, Any]]:
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            return cast(list[dict[str, Any]], self._call("getAllProcessInfo"))
        return []

    def _call(self, method: str, *arguments: object) -> object:
        self._rpc("close")()  # A kept connection may be one that supervisord has closed meanwhile.
        return getattr(self._rpc.supervisor, method)(*arguments)
