"""Runs the configurations of deploy/ in the real proxies, on ports of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.asking import ask
from tests.processes import ROOT, START_TIMEOUT_S, free_port, stop, wait_until_answering

DEPLOY = ROOT / "deploy"
# Where Debian keeps servers, and where the wheels of Traefik and Envoy put theirs.
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
# What the configurations name, and is the reader's to change.
GATE_PORT, API_PORT, PROXY_PORT, WEB_PORT, WEB_PROXY_PORT = 8001, 9000, 8080, 8000, 8081


@dataclass(frozen=True, slots=True)
class Proxy:
    """How one of them is run: its files in deploy/, and its command in a folder with those."""

    files: tuple[str, ...]
    command: tuple[str, ...]


PROXIES = {
    "nginx": Proxy(("nginx.conf",), ("nginx", "-p", ".", "-c", "whole.conf")),
    "caddy": Proxy(("Caddyfile",), ("caddy", "run", "--config", "whole.Caddyfile", "--adapter", "caddyfile")),
    "haproxy": Proxy(("haproxy.cfg", "haproxy_gate.lua"), ("haproxy", "-q", "-f", "haproxy.cfg")),
    "traefik": Proxy(("traefik.yml", "traefik-routes.yml"), ("traefik", "--configFile=traefik.yml")),
    "envoy": Proxy(
        ("envoy.yaml",),
        ("envoy", "-c", "envoy.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "error"),
    ),
}
# What a proxy that serves only this test needs around the configuration.
AROUND = {
    "nginx": (
        "whole.conf",
        "daemon off; pid pid; error_log error.log; events {} http { access_log off; client_body_temp_path body;"
        " proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;"
        " include nginx.conf; }",
    ),
    "caddy": ("whole.Caddyfile", "{\n\tadmin off\n\tauto_https off\n}\nimport Caddyfile\n"),
}


@contextmanager
def running_proxy(
    name: str, folder: Path, *, gate_port: int, api_port: int, replacing: tuple[str, str] = ("", "")
) -> Iterator[str]:
    """The proxy with its configuration of deploy/, only the ports changed; where it listens. Stopped afterwards.

    `replacing` puts one text in another's place, for what a test wants to break.
    """
    port = free_port()
    ports = {GATE_PORT: gate_port, API_PORT: api_port, PROXY_PORT: port}
    if name == "nginx":
        ports |= {WEB_PORT: free_port(), WEB_PROXY_PORT: free_port()}
    _write_files(name, folder, ports, replacing)
    program, *options = PROXIES[name].command
    environment = {"PATH": PATH, "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        command = [shutil.which(program, path=PATH) or program, *options]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_until_answering(f"http://127.0.0.1:{port}/", process, healthy=False)
        _wait_for_routes(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def _wait_for_routes(url: str) -> None:
    """Returns when a question reaches the gate, or is known not to: Traefik listens before it has read its routes."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        answer = ask(url, "/")
        if answer.status >= 500 or answer.values("X-Request-Id"):
            return
        time.sleep(0.05)
    raise RuntimeError(f"No question reached the gate through {url} after {START_TIMEOUT_S} s.")


def _write_files(name: str, folder: Path, ports: dict[int, int], replacing: tuple[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    texts = {file: (DEPLOY / file).read_text() for file in PROXIES[name].files}
    for old, new in ports.items():
        n_found = 0
        for file, text in texts.items():
            texts[file], n = re.subn(rf"\b{old}\b", str(new), text)
            n_found += n
        assert n_found, f"{name} does not name port {old}"
    if name in AROUND:
        file, text = AROUND[name]
        texts[file] = text
    for file, text in texts.items():
        (folder / file).write_text(text.replace(*replacing) if replacing[0] else text)
