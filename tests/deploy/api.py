"""A small API that stands behind the proxies: it says what it was asked, and keeps it."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from tests.clients.servers import LocalServer

_ALIASES = str.maketrans("_.", "--")


class Asked(NamedTuple):
    """One request as it reached the API. `headers` in the order and the spelling in which they came."""

    method: str
    target: str
    headers: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """The values of a header as a server reads them that takes `_` and `.` for `-`, as some do."""
        return [value for key, value in self.headers if key.lower().translate(_ALIASES) == name.lower()]


class Api(LocalServer):
    """Answers everything with 200, the target, the account and the key that it was told of."""

    # Many connections are opened at once.
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(_Handler, port)
        self.asked: list[Asked] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A proxy may end an idle connection as it likes; anything else is a fault of the handler's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        asked = Asked(self.command, self.path, list(self.headers.items()))
        self.server.asked.append(asked)
        account_ids, key_ids = asked.values("X-Account-Id"), asked.values("X-Key-Id")
        body = json.dumps({"target": self.path, "account_ids": account_ids, "key_ids": key_ids}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        # An API has its own opinion of these.
        self.send_header("Access-Control-Allow-Origin", "https://api.example")
        self.send_header("X-Request-Id", "the-api's-own")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
