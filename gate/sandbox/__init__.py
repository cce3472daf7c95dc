"""The sandbox upstream: small, made-up answers for every service, so that a laptop shows the whole road.

Pure: no Django, Redis, sockets or clock. The same question always gets the same bytes.
"""

from __future__ import annotations

from gate.sandbox.answers import sandbox_answer
from gate.sandbox.reply import SandboxAnswer

__all__ = ["SandboxAnswer", "sandbox_answer"]
