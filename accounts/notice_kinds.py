"""What an account is told of by a notice: the kinds, their words, and what can be done about each. Asks no database.

Apps above add their kinds here. A kind's words name facts, as `%(key)s`: a fact ending in `_at` is an instant in
ISO 8601 and shown as a day and time, `month` as a month, one in `_micro_usd` as money, other whole numbers with their
thousands apart: all as the reader's language writes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.figures import number, usd
from accounts.permissions import Permission

Words = str | Promise
_FACT = re.compile(r"%\((\w+)\)s")
Facts = Mapping[str, str | int]


class NoticeKind(StrEnum):
    """The value is stored, and never changes."""

    KEY_EXPIRES = "key_expires"
    KEY_RETIRED = "key_retired"
    ORIGIN_FIRST_SEEN = "origin_first_seen"
    ORIGIN_SPIKE = "origin_spike"
    KEY_SPIKE = "key_spike"
    KEY_SPIKE_QUOTA = "key_spike_quota"
    KEY_SPIKE_DISABLED = "key_spike_disabled"
    CREDIT_THRESHOLD = "credit_threshold"
    BUDGET_THRESHOLD = "budget_threshold"
    KEY_CAP_THRESHOLD = "key_cap_threshold"
    STATEMENT_READY = "statement_ready"


class Severity(StrEnum):
    """How much of a hurry there is; the value is the tone of its mark."""

    INFO = "info"
    WARNING = "warn"
    DANGER = "bad"


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button on a notice: the view `url_name`, with the fact `argument` in its path.

    `query` are pairs of a parameter and the fact that is its value; where one is empty, there is no such button.
    `is_dialog`: it opens in the page's dialog,
    which asks before anything is changed. Who lacks `permission` is not shown it.
    """

    label: Words
    url_name: str
    argument: str = ""
    query: tuple[tuple[str, str], ...] = ()
    permission: Permission = Permission.SEE
    is_dialog: bool = False


@dataclass(frozen=True, slots=True)
class KindFacts:
    """`more` is a sentence that follows where all of the facts in it are there and not empty."""

    title: Words
    sentence: Words
    more: Words = ""
    severity: Severity = Severity.INFO
    actions: tuple[NoticeAction, ...] = ()


_EDIT_KEY = NoticeAction(_("Edit the key"), "keys:edit", "key_id", permission=Permission.CHANGE_KEYS, is_dialog=True)
_ROTATE_KEY = NoticeAction(
    _("Rotate the key"), "keys:rotate", "key_id", permission=Permission.CHANGE_KEYS, is_dialog=True
)
_BLOCK = NoticeAction(
    _("Block this origin"),
    "keys:block_origin",
    "key_id",
    query=(("origin", "origin"),),
    permission=Permission.CHANGE_KEYS,
    is_dialog=True,
)
_LIFT = NoticeAction(_("Lift"), "keys:lift", "key_id", permission=Permission.CHANGE_KEYS, is_dialog=True)
_SEE_KEY = NoticeAction(_("See the key"), "keys:key", "key_id")
_MOSTLY_FROM = _("Most of them came from %(origin)s.")
_BILLS = NoticeAction(_("See the bills"), "billing:overview", permission=Permission.SEE_BILLS)

# Beside each kind, the facts that its words and actions name. By its value, as it is stored.
NOTICES: dict[str, KindFacts] = {
    # key, key_id, n_days, expires_at
    NoticeKind.KEY_EXPIRES: KindFacts(
        title=ngettext_lazy("“%(key)s” expires in %(n_days)s day", "“%(key)s” expires in %(n_days)s days", "n_days"),
        sentence=_("It is refused from %(expires_at)s on. Replace it in time, or give it a later expiry."),
        severity=Severity.WARNING,
        actions=(_ROTATE_KEY, _EDIT_KEY, _SEE_KEY),
    ),
    # key, key_id
    NoticeKind.KEY_RETIRED: KindFacts(
        title=_("“%(key)s” is retired"),
        sentence=_("Its successor has taken over; the old key is refused now."),
    ),
    # key, key_id, origin, n_requests
    NoticeKind.ORIGIN_FIRST_SEEN: KindFacts(
        title=_("A new origin uses “%(key)s”: %(origin)s"),
        sentence=ngettext_lazy(
            "%(n_requests)s request from it was let pass. If it isn’t yours, block it.",
            "%(n_requests)s requests from it were let pass. If it isn’t yours, block it.",
            "n_requests",
        ),
        severity=Severity.WARNING,
        actions=(_BLOCK, _SEE_KEY),
    ),
    # key, key_id, origin, percent, n_requests
    NoticeKind.ORIGIN_SPIKE: KindFacts(
        title=_("%(origin)s suddenly makes up %(percent)s%% of “%(key)s”"),
        sentence=_("%(n_requests)s requests came from it in the last hour. If it isn’t yours, block it."),
        severity=Severity.WARNING,
        actions=(_BLOCK, _SEE_KEY),
    ),
    # key, key_id, n_requests, n_usual, origin (or empty)
    NoticeKind.KEY_SPIKE: KindFacts(
        title=_("“%(key)s” is used far more than usual"),
        sentence=_("%(n_requests)s requests in the last hour; %(n_usual)s are usual. The key goes on working."),
        more=_MOSTLY_FROM,
        severity=Severity.WARNING,
        actions=(_BLOCK, _SEE_KEY),
    ),
    # key, key_id, n_requests, n_usual, quota, origin (or empty)
    NoticeKind.KEY_SPIKE_QUOTA: KindFacts(
        title=_("“%(key)s” is used far more than usual, and was cut"),
        sentence=_(
            "%(n_requests)s requests in the last hour; %(n_usual)s are usual. "
            "Until the day ends, or you lift it, the key is held to %(quota)s more requests."
        ),
        more=_MOSTLY_FROM,
        severity=Severity.DANGER,
        actions=(_BLOCK, _LIFT, _SEE_KEY),
    ),
    # key, key_id, n_requests, n_usual, origin (or empty)
    NoticeKind.KEY_SPIKE_DISABLED: KindFacts(
        title=_("“%(key)s” is used far more than usual, and was disabled"),
        sentence=_(
            "%(n_requests)s requests in the last hour; %(n_usual)s are usual. "
            "Every request with the key is refused until you lift that."
        ),
        more=_MOSTLY_FROM,
        severity=Severity.DANGER,
        actions=(_BLOCK, _LIFT, _SEE_KEY),
    ),
    # percent
    NoticeKind.CREDIT_THRESHOLD: KindFacts(
        title=_("%(percent)s%% of this month’s credit and balance is used"),
        sentence=_("When all of it is used up, requests that cost something are refused."),
        severity=Severity.WARNING,
        actions=(_BILLS,),
    ),
    # percent, budget_micro_usd
    NoticeKind.BUDGET_THRESHOLD: KindFacts(
        title=_("%(percent)s%% of this month’s budget is used"),
        sentence=_("The budget is %(budget_micro_usd)s."),
        severity=Severity.WARNING,
        actions=(_BILLS,),
    ),
    # key, key_id, percent, cap_micro_usd
    NoticeKind.KEY_CAP_THRESHOLD: KindFacts(
        title=_("“%(key)s” has used %(percent)s%% of its month’s spend cap"),
        sentence=_("The cap is %(cap_micro_usd)s. When it is used up, what the key asks for is refused."),
        severity=Severity.WARNING,
        actions=(_EDIT_KEY, _SEE_KEY),
    ),
    # month (2026-11), total_micro_usd
    NoticeKind.STATEMENT_READY: KindFacts(
        title=_("The statement of %(month)s is ready"),
        sentence=_("It comes to %(total_micro_usd)s."),
        actions=(NoticeAction(_("See the statement"), "billing:statement", "month", permission=Permission.SEE_BILLS),),
    ),
}


class _Grouped(int):
    """A number that reads with its thousands apart, and still is one, for the choice of a plural."""

    def __str__(self) -> str:
        return number(int(self))


def in_words(words: Words, facts: Facts) -> str:
    """The sentence with its facts in it. Raises KeyError where one is missing."""
    shown = {name: _shown(name, fact) for name, fact in facts.items()}
    return str(words % shown)


def sentences(kind: KindFacts, facts: Facts) -> str:
    """What there is to say below the title."""
    named = _FACT.findall(str(kind.more))
    has_more = bool(named) and all(facts.get(name) for name in named)
    said = in_words(kind.sentence, facts)
    return f"{said} {in_words(kind.more, facts)}" if has_more else said


def _shown(name: str, fact: str | int) -> str | int:
    if name.endswith("_micro_usd"):
        return usd(int(fact))
    if name.endswith("_at"):
        return date_format(timezone.localtime(datetime.fromisoformat(str(fact))), "SHORT_DATETIME_FORMAT")
    if name == "month":
        return date_format(date.fromisoformat(f"{fact}-01"), "YEAR_MONTH_FORMAT")
    return _Grouped(fact) if isinstance(fact, int) else fact
