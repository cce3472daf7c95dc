"""Autocomplete sessions in this process's memory, by the counting script's rules. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from gate.calendar import ENDED_SESSION_TTL_S, OPEN_SESSION_TTL_S
from gate.snapshot import SessionPart

MAX_SESSIONS = 100_000


class Session(NamedTuple):
    """Searches of an open one are covered, and so is one detail, which ends it."""

    is_open: bool
    until_us: int


class Sessions:
    """By account and token. Bounded: of too many the longest quiet are forgotten, and begin anew."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[int, bytes], Session] = OrderedDict()

    def find(self, name: tuple[int, bytes], now_us: int) -> Session | None:
        session = self._sessions.get(name)
        return session if session is not None and now_us < session.until_us else None

    def put(self, name: tuple[int, bytes], session: Session | None) -> None:
        self._sessions.pop(name, None)
        if session is None:
            return
        while len(self._sessions) >= MAX_SESSIONS:
            self._sessions.popitem(last=False)
        self._sessions[name] = session


def after(session: Session | None, part: SessionPart, now_us: int) -> Session:
    """What becomes of a session by an allowed request."""
    has_ended = session is not None and not session.is_open
    is_open = part is not SessionPart.DETAIL and not has_ended
    return Session(is_open, now_us + (OPEN_SESSION_TTL_S if is_open else ENDED_SESSION_TTL_S) * 1_000_000)
