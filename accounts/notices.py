"""Raises notices: what members of an account are told of, each once, on the dashboard and by mail.

A notice is one by its account, kind and source: raising it again, or in two processes at once, changes nothing.
So whoever finds something worth a notice need not remember whether it has told of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from kombu.exceptions import OperationalError
from psycopg.types.json import Jsonb

from accounts.audit import shown_text
from accounts.models import Account, Notice
from accounts.notice_kinds import NOTICES, Facts, NoticeKind, in_words
from accounts.permissions import Permission
from goongdash.lib.clock import utc_now

logger = logging.getLogger(__name__)

FORGET_ROWS = 5_000
MAIL_TASK = "accounts.mail_notices"

# In one order, so that two that raise the same never wait for each other in a circle.
_RAISE = """
    INSERT INTO accounts_notice (account_id, kind, source, facts, permission, created_at)
    SELECT new.*, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::jsonb[], %s::text[])
        AS new (account_id, kind, source, facts, permission)
    ORDER BY account_id, kind, source
    ON CONFLICT (account_id, kind, source) DO NOTHING RETURNING account_id, kind, source
"""


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice to be raised. `source` is what it is about, such as `key:7:2026-12-01`, at most 200 characters.

    `facts` are what its words and actions name; no secret is among them. It is for the members whose role has
    `permission`.
    """

    account_id: int
    kind: NoticeKind
    source: str
    facts: Facts
    permission: Permission


def notice_raise(*, account: Account, kind: NoticeKind, source: str, facts: Facts, permission: Permission) -> bool:
    """Raises one notice; False where it was raised before. Raises KeyError where the kind's words miss a fact."""
    return bool(notices_raise([NewNotice(account.pk, kind, source, facts, permission)]))


def notices_raise(notices: Iterable[NewNotice]) -> list[NewNotice]:
    """Raises many at once, in one statement and with one task for their mails; returns those not raised before."""
    by_name = {(new.account_id, new.kind.value, new.source): new for new in notices}
    if not by_name:
        return []
    rows = [(*name, Jsonb(_facts(new)), new.permission.name) for name, new in by_name.items()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, [utc_now(), *columns])
        raised = [by_name[name] for name in cursor.fetchall()]
    if raised:
        transaction.on_commit(_mail_soon)
    return raised


def notices_forget(*, before: datetime) -> int:
    """Deletes the notices from before `before` and returns how many; some thousand at a time."""
    n_forgotten = 0
    while oldest := list(Notice.objects.filter(created_at__lt=before).values_list("pk", flat=True)[:FORGET_ROWS]):
        Notice.objects.filter(pk__in=oldest).delete()
        n_forgotten += len(oldest)
    return n_forgotten


def _facts(new: NewNotice) -> Facts:
    facts = {name: shown_text(fact) if isinstance(fact, str) else fact for name, fact in new.facts.items()}
    for words in (NOTICES[new.kind].title, NOTICES[new.kind].sentence):
        in_words(words, facts)
    return facts


def _mail_soon() -> None:
    # Only here: the gate, which raises none, is not to load Celery.
    from goongdash.celery import app

    try:
        app.send_task(MAIL_TASK, expires=300, retry=False)
    except OperationalError as error:
        # Nobody needs to be told: the schedule asks each minute for what is to be mailed.
        logger.warning("notices_mailed_later", extra={"error": type(error).__name__})
