"""What the sandbox answers with: a status, a type and a body. Owns the two ways of saying no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"
PROTOBUF_TYPE = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class SandboxAnswer:
    """One answer: an HTTP status, the `Content-Type` and the body's bytes."""

    status: int
    content_type: str
    body: bytes


def json_answer(payload: dict[str, Any], *, status: int = 200) -> SandboxAnswer:
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    # Lone surrogates can't be encoded, and no answer may fail because of what the caller sent.
    return SandboxAnswer(status, JSON_TYPE, text.encode("utf-8", "replace"))


def invalid_request(message: str) -> SandboxAnswer:
    """A 400 whose top-level `message` says which parameter is at fault: the clients show just that."""
    return json_answer({"message": message, "code": "INVALID_REQUEST"}, status=400)


def not_found(message: str) -> SandboxAnswer:
    return json_answer({"message": message, "code": "NOT_FOUND"}, status=404)
