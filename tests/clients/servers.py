"""Two small web servers: one for the pages with Goong's clients, one for a bare sandbox that stands in for the gate."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from gate.sandbox import SandboxAnswer, sandbox_answer

HERE = Path(__file__).parent
PAGES, NODE_MODULES = HERE / "pages", HERE / "node_modules"
GOONG = NODE_MODULES / "@goongmaps"
# What the page server serves, and where it is.
PAGE_FILES = {
    **{f"/{file}": PAGES / file for file in ("map.html", "map.js", "maplibre.html", "rest.html", "rest.js")},
    "/goong_calls.js": PAGES / "goong_calls.js",
    "/goong-js/goong-js.js": GOONG / "goong-js" / "dist" / "goong-js.js",
    "/goong-js/goong-js.css": GOONG / "goong-js" / "dist" / "goong-js.css",
    "/goong-sdk/goong-sdk.js": GOONG / "goong-sdk" / "umd" / "goong-sdk.js",
    "/goong-geocoder/goong-geocoder.js": GOONG / "goong-geocoder" / "dist" / "goong-geocoder.min.js",
    "/goong-geocoder/goong-geocoder.css": GOONG / "goong-geocoder" / "dist" / "goong-geocoder.css",
    "/maplibre-gl/maplibre-gl.js": NODE_MODULES / "maplibre-gl" / "dist" / "maplibre-gl.js",
    "/maplibre-gl/maplibre-gl.css": NODE_MODULES / "maplibre-gl" / "dist" / "maplibre-gl.css",
}
CONTENT_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}


class LocalServer(ThreadingHTTPServer):
    """A server on a port of this machine, a free one where none is named, in a thread of its own."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.port: int = self.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class SandboxServer(LocalServer):
    """Answers from the sandbox with CORS headers, or with a refusal where one is set."""

    def __init__(self) -> None:
        super().__init__(_SandboxHandler)
        self.nested_base_url = self.base_url
        self.refusal: SandboxAnswer | None = None
        self.targets: list[str] = []

    def refuse(self, status: int, *, code: str, message: str) -> None:
        """Answer everything from now on as the gate refuses: `message`, `code` and `request_id`."""
        body = json.dumps({"message": message, "code": code, "request_id": "0123456789abcdef"}).encode()
        self.refusal = SandboxAnswer(status, "application/json", body)

    def answer(self, target: str) -> SandboxAnswer:
        self.targets.append(target)
        url = urlsplit(target)
        return self.refusal or sandbox_answer(path=url.path, query=url.query, base_url=self.nested_base_url)


class PageServer(LocalServer):
    """Serves the pages with the clients, under whatever host name the browser was told leads here."""

    def __init__(self) -> None:
        super().__init__(_PageHandler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send(self, answer: SandboxAnswer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test's output is not the place."""


class _SandboxHandler(_Handler):
    server: SandboxServer

    def do_GET(self) -> None:
        self.send(self.server.answer(self.path))


class _PageHandler(_Handler):
    def do_GET(self) -> None:
        file = PAGE_FILES.get(urlsplit(self.path).path)
        if file is None:
            self.send(SandboxAnswer(404, "text/plain", b""))
        else:
            self.send(SandboxAnswer(200, CONTENT_TYPES[file.suffix], file.read_bytes()))
