"""The configuration in deploy/nginx.conf, in a real nginx, before a small API: allowed passes, refusals arrive."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.clients.servers import LocalServer
from tests.factories import make_key
from tests.processes import ROOT, GateProcess, free_port, stop, wait_until_answering

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
CONFIGURATION = (ROOT / "deploy" / "nginx.conf").read_text()


class _Api(BaseHTTPRequestHandler):
    """Says which account and key it was told of."""

    def do_GET(self) -> None:
        body = f"{self.headers['X-Account-Id']} {self.headers['X-Key-Id']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def nginx(gate: GateProcess, tmp_path: Path) -> Iterator[str]:
    """Where nginx listens, before `gate` and an API of its own."""
    api, port = LocalServer(_Api), free_port()
    text = CONFIGURATION
    for old, new in {8001: gate.port, 9000: api.port, 8080: port, 8081: free_port(), 8000: free_port()}.items():
        text, n = re.subn(rf"(127\.0\.0\.1:|listen ){old};", rf"\g<1>{new};", text)
        assert n == 1, old
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = tmp_path / "nginx.conf"
    path.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}"
        f"http {{ access_log off; {temporary} {text} }}"
    )
    with api.running():
        process = subprocess.Popen([NGINX, "-c", str(path), "-p", str(tmp_path)])
        try:
            wait_until_answering(f"http://127.0.0.1:{port}/", process, healthy=False)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(process)


def test_allowed_request_reaches_the_api_with_its_account_and_key(nginx: str) -> None:
    created = make_key()
    answer = httpx.get(f"{nginx}/Geocode?address=Hanoi&api_key={created.text}")
    assert (answer.status_code, answer.text) == (200, f"{created.key.account_id} {created.key.pk}")
    assert '"rate";r=4' in answer.headers["RateLimit"]
    assert answer.headers["X-Request-Id"]


def test_refusals_arrive_as_themselves(nginx: str) -> None:
    created = make_key(restrictions=["http*://example.com/*"])
    path = f"{nginx}/Geocode?address=Hanoi&api_key={created.text}"
    refused = httpx.get(path, headers={"Referer": "https://evil.org/"})
    assert (refused.status_code, refused.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert refused.json()["request_id"] == refused.headers["X-Request-Id"]
    assert refused.headers["Content-Type"] == "application/json"
    answers = [httpx.get(path, headers={"Origin": "https://example.com"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[5].json()["code"] == "RATE_LIMIT"
    assert answers[5].headers["Retry-After"] == "1"
    assert answers[5].headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.get(f"{nginx}/nothing?api_key={created.text}").status_code == 404
    assert httpx.get(f"{nginx}/Geocode").json()["code"] == "KEY_MISSING"


def test_caller_behind_nginx_cannot_choose_its_address(nginx: str) -> None:
    created = make_key(restrictions=["198.51.100.7"])
    path = f"{nginx}/Geocode?address=Hanoi&api_key={created.text}"
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Original-URI"):
        assert httpx.get(path, headers={name: "198.51.100.7"}).status_code == 403
