"""Notices as the dashboard and mails show them: in words, with what the reader may do. Asks no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Notice
from accounts.notice_kinds import NOTICES, Facts, KindFacts, NoticeAction, Severity, in_words, sentences
from accounts.permissions import may


@dataclass(frozen=True, slots=True)
class ActionLink:
    """A button, ready for the page."""

    label: str
    url: str
    is_dialog: bool


@dataclass(frozen=True, slots=True)
class NoticeRow:
    notice: Notice
    title: str
    sentence: str
    severity: Severity
    is_unread: bool
    actions: list[ActionLink]


def notice_rows(notices: Iterable[Notice], *, role: str) -> list[NoticeRow]:
    """`notices` carry `is_unread`."""
    return [notice_row(notice, role=role, is_unread=notice.is_unread) for notice in notices]  # type: ignore[attr-defined]


def notice_row(notice: Notice, *, role: str, is_unread: bool) -> NoticeRow:
    """A notice of a kind that is known no more still shows that it was there."""
    known = NOTICES.get(notice.kind, KindFacts(title=notice.kind, sentence=""))
    return NoticeRow(
        notice=notice,
        title=in_words(known.title, notice.facts),
        sentence=sentences(known, notice.facts),
        severity=known.severity,
        is_unread=is_unread,
        actions=[_link(action, notice.facts) for action in known.actions if _is_offered(action, notice.facts, role)],
    )


def _is_offered(action: NoticeAction, facts: Facts, role: str) -> bool:
    return may(role, action.permission) and all(facts.get(fact) for _, fact in action.query)


def _link(action: NoticeAction, facts: Facts) -> ActionLink:
    url = reverse(action.url_name, args=[facts[action.argument]] if action.argument else [])
    query = urlencode({parameter: facts[fact] for parameter, fact in action.query})
    return ActionLink(str(action.label), f"{url}?{query}" if query else url, action.is_dialog)
