"""Who is acting: set where a request, a command or a task begins, read where a change is recorded.

So that no service has to be handed an argument that it only hands on. Without anybody set, it is the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.audit_actions import ActorKind
from accounts.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something. `name` is an e-mail address or a command's name."""

    kind: ActorKind
    name: str
    user_id: int | None = None


SYSTEM = Actor(ActorKind.SYSTEM, "Goongdash")

# A function, so that nobody's name is asked for while nothing changes.
_current: ContextVar[Callable[[], Actor]] = ContextVar("actor", default=lambda: SYSTEM)


def current_actor() -> Actor:
    return _current.get()()


@contextmanager
def acting(actor: Callable[[], Actor]) -> Iterator[None]:
    """Changes inside are recorded as those of whom `actor` names."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)


def actor_of_request(request: HttpRequest) -> Actor:
    """The signed-in user; an operator in the admin. Nobody signed in (signing up): the system."""
    if not isinstance(request.user, User):
        return SYSTEM
    is_admin = request.resolver_match is not None and request.resolver_match.app_name == "admin"
    return Actor(ActorKind.OPERATOR if is_admin else ActorKind.MEMBER, request.user.email, request.user.pk)
