"""`make run`: everything on one machine, from an empty folder to a ready banner, until Ctrl-C.

Owns the order of things and what is said at the terminal. What is asked for is in `plan`, what is started in the
Procfile, how supervisord is told of it in `supervise`, and how long is waited for it in `readiness`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn, cast

from django.core.exceptions import ImproperlyConfigured

from goongdash.embedded import folders, locks, paths, processes
from goongdash.embedded.errors import EmbeddedServerError
from goongdash.embedded.redis import appendfsync
from goongdash.embedded.servers import keeping_servers
from goongdash.output import Output
from goongdash.plan import MARK, Plan, RunError
from goongdash.readiness import READY_TIMEOUT_S, answering, check_ports, healthy, wait
from goongdash.stopping import Stopped, ignore_signals, signals_as_stopped
from goongdash.supervise import PROGRAM_GROUP, SERVERS, ProcfileError, Supervision, expand, read_procfile
from goongdash.supervisord import OWN_NAME, Supervisord

LEFTOVERS_TIMEOUT_S = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m goongdash.run", description=__doc__)
    parser.add_argument("--root", type=Path, default=paths.BASE_DIR, help="the folder of Procfile and manage.py")
    root = parser.parse_args().root.resolve()
    try:
        with signals_as_stopped():
            run(Plan.from_environment(root))
    except Stopped:
        _say("Stopped.")
        return 0
    except (RunError, EmbeddedServerError, ProcfileError) as error:
        _say(str(error))
        return 1


def _check_settings(plan: Plan) -> None:
    """Reads what every program will read, so that a bad value is named once and before anything starts."""
    try:
        importlib.import_module("goongdash.settings")
    except ImproperlyConfigured as error:
        raise RunError(str(error)) from None
    if "redis" in plan.servers:
        appendfsync()


def run(plan: Plan) -> NoReturn:
    """Run until stopped. Ends by `Stopped`, or by an error; either way nothing that it started is left."""
    with locks.run_lock(plan.data_dir) as lock:
        if not lock.try_exclusive():
            raise RunError(_already_running(plan.data_dir))
        locks.write_run_info(lock, locks.RunInfo(os.getpid(), plan.url, list(plan.servers)))
        _end_leftovers(plan)
        check_ports(plan)
        folders.prepare(plan.data_dir)
        _check_settings(plan)
        with _keeping_servers(plan) as let_others_join:
            try:
                _serve(plan, let_others_join)
            finally:
                ignore_signals()
                _end_leftovers(plan)


def _keeping_servers(plan: Plan) -> AbstractContextManager[Callable[[], None]]:
    if not plan.servers:
        return contextlib.nullcontext(lambda: None)
    return keeping_servers(plan.data_dir, on_wait=_say_waiting)


def _serve(plan: Plan, let_others_join: Callable[[], None]) -> NoReturn:
    supervisord = _start_supervisord(plan)
    try:
        wait(supervisord, [answering(plan, name) for name in plan.servers])
        let_others_join()
        _say("Bringing the database up to date …")
        _manage(plan, "migrate", "--no-input", "--verbosity", "0")
        demo = _seed_demo(plan) if plan.seeds_demo else None
        supervisord.start_group(PROGRAM_GROUP)
        wait(supervisord, [healthy(f"{plan.url}/healthz"), healthy(f"{plan.gate_url}/_gate/healthz")])
        _say(_banner(plan, demo))
        _watch(supervisord)
    finally:
        ignore_signals()
        _say("Stopping …")
        supervisord.stop()


def _start_supervisord(plan: Plan) -> Supervisord:
    procfile = read_procfile((plan.root / "Procfile").read_text())
    variables = plan.environment
    commands = {
        name: expand(command, variables)
        for name, command in procfile.items()
        if name not in SERVERS or name in plan.servers
    }
    output = Output([*commands, OWN_NAME])
    supervision = Supervision(
        root=plan.root,
        pid_file=plan.data_dir / "supervisord.pid",
        log_file=plan.data_dir / "log" / "supervisord.log",
        socket=paths.supervisor_socket(plan.data_dir),
        password=secrets.token_urlsafe(),
        output_paths=output.paths,
        n_processes={"gate": plan.n_gates},
        user="root" if os.geteuid() == 0 else None,
    )
    supervisord = Supervisord.start(
        commands=commands,
        supervision=supervision,
        output=output,
        config_file=plan.data_dir / "supervisord.conf",
        environment=variables,
    )
    if not supervisord.wait_answering(READY_TIMEOUT_S):
        supervisord.stop()
        raise RunError(f"supervisord does not start; see {supervision.log_file}.")
    return supervisord


def _watch(supervisord: Supervisord) -> NoReturn:
    """Tell of programs that keep dying, and have them tried again, for as long as supervisord lives."""
    leaders: set[int] = set()
    while supervisord.is_alive:
        leaders = _bury(leaders, set(supervisord.pids().values()))
        for name in supervisord.failed():
            _say(f"{name} keeps ending at once; the lines above may say why. It is tried again.")
            supervisord.retry(name)
        time.sleep(1)
    raise RunError("supervisord has ended; everything it ran is stopped.")


def _bury(leaders: set[int], alive: set[int]) -> set[int]:
    """Kill what the programs that ended since the last look have left of their process groups.

    granian's workers, for one, go on serving beside the new ones when their parent is killed. Supervisord makes
    every program the leader of a group, and no pid is given anew while a group of that number is there.
    """
    if not alive:  # Supervisord did not answer, which says nothing of its programs.
        return leaders
    for leader in leaders - alive:
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
    return alive


def _manage(plan: Plan, *words: str) -> str:
    """What a management command prints. Raises `RunError` where it fails, having said why at the terminal."""
    done = subprocess.run(  # noqa: S603 — our own commands.
        [sys.executable, "manage.py", *words],
        cwd=plan.root,
        env=plan.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stdout.write(done.stdout)
        raise RunError(f"manage.py {words[0]} failed.")
    return done.stdout


def _seed_demo(plan: Plan) -> dict[str, Any]:
    _say("Preparing the demo account …")
    printed = _manage(plan, "seed_demo", "--json")
    try:
        return cast(dict[str, Any], json.loads(printed))
    except ValueError:
        raise RunError(f"manage.py seed_demo --json printed no JSON: {printed[:200]!r}") from None


def _banner(plan: Plan, demo: dict[str, Any] | None) -> str:
    lines = [
        "",
        "Goongdash is ready.",
        "",
        f"  Dashboard   {plan.url}",
        f"  Operators   {plan.url}/admin/",
        f"  Gate        {plan.gate_url}",
    ]
    if demo is not None:
        lines += [
            f"  Demo login  {demo['email']}  {demo['password']}",
            "",
            "  Try a key:",
            f"  curl '{plan.gate_url}/Geocode?address=Hanoi&api_key={demo['keys']['rest']}'",
        ]
    return "\n".join([*lines, "", "  Ctrl-C stops everything.", ""])


def _end_leftovers(plan: Plan) -> None:
    """End the programs of this folder's run: after one that was killed, and for certainty after our own."""
    leftovers = processes.marked(MARK, str(plan.data_dir))
    processes.stop(leftovers, signum=signal.SIGTERM, timeout_s=LEFTOVERS_TIMEOUT_S)


def _already_running(data_dir: Path) -> str:
    info = locks.read_run_info(data_dir)
    who = f" (process {info.pid}, {info.url})" if info and info.pid else ""
    return f"{data_dir} is being run already{who}. Stop that run, or set DATA_DIR, PORT and GATE_PORT anew."


def _say_waiting() -> None:
    _say("Another command uses this folder's servers; waiting for it to end …")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # The terminal may be gone; stopping goes on.
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
