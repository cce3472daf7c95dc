"""Asks a server exactly what a test says: no target is tidied, no header merged or left out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 30

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` in the order in which they came."""

    status: int
    headers: list[Header]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Every value of a header: one that came twice has two."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    base_url: str, target: str, *headers: Header, method: str = "GET", source: str = "127.0.0.1", body: bytes = b""
) -> Answer:
    """One request on a connection of its own, which comes from `source`, an address of this machine."""
    address = urlsplit(base_url).netloc
    connection = HTTPConnection(address, timeout=TIMEOUT_S, source_address=(source, 0))
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in [("Host", address), *headers, *([("Content-Length", str(len(body)))] if body else [])]:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()
