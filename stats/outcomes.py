"""What the gate may decide about a request: the closed list, and what each outcome means to everyone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TOO_MANY_REQUESTS = 429


class Outcome(StrEnum):
    ALLOWED = "allowed"
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_REVOKED = "key_revoked"
    KEY_DISABLED = "key_disabled"
    KEY_EXPIRED = "key_expired"
    KEY_TYPE = "key_type"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    RATE_LIMIT = "rate_limit"
    DAILY_QUOTA = "daily_quota"
    MONTHLY_QUOTA = "monthly_quota"
    CREDIT_EXHAUSTED = "credit_exhausted"
    SERVICE_UNKNOWN = "service_unknown"
    UNAVAILABLE = "unavailable"
    SERVICE_NOT_ALLOWED = "service_not_allowed"
    KEY_BUDGET = "key_budget"
    ACCOUNT_BUDGET = "account_budget"


@dataclass(frozen=True, slots=True)
class OutcomeFacts:
    """`number` is how the outcome is stored and never changes; `code` is what the caller is told.

    The owner of a key sees the outcome itself and its `label`; several outcomes share one code, so that a
    stranger learns nothing about a key.
    """

    number: int
    status: int
    code: str
    words: Promise
    is_billable: bool = False

    @property
    def label(self) -> str:
        """In the language of whoever reads."""
        return str(self.words)

    @property
    def tone(self) -> str:
        """How pages colour it: a limit that was met is a warning, any other refusal is bad."""
        return "good" if not self.code else "warn" if self.status == TOO_MANY_REQUESTS else "bad"


OUTCOMES: dict[Outcome, OutcomeFacts] = {
    Outcome.ALLOWED: OutcomeFacts(0, 200, "", _("Allowed"), is_billable=True),
    Outcome.KEY_MISSING: OutcomeFacts(1, 403, "KEY_MISSING", _("No key")),
    Outcome.KEY_UNKNOWN: OutcomeFacts(2, 403, "KEY_INVALID", _("Unknown key")),
    Outcome.KEY_REVOKED: OutcomeFacts(3, 403, "KEY_INVALID", _("Key deleted")),
    Outcome.KEY_DISABLED: OutcomeFacts(4, 403, "KEY_INVALID", _("Key disabled")),
    Outcome.KEY_EXPIRED: OutcomeFacts(5, 403, "KEY_INVALID", _("Key expired")),
    Outcome.KEY_TYPE: OutcomeFacts(6, 403, "KEY_TYPE", _("Wrong key type")),
    Outcome.ORIGIN_NOT_ALLOWED: OutcomeFacts(7, 403, "ORIGIN_NOT_ALLOWED", _("Origin not allowed")),
    Outcome.RATE_LIMIT: OutcomeFacts(8, 429, "RATE_LIMIT", _("Rate limit")),
    Outcome.DAILY_QUOTA: OutcomeFacts(9, 429, "DAILY_QUOTA", _("Daily quota")),
    Outcome.MONTHLY_QUOTA: OutcomeFacts(10, 429, "MONTHLY_QUOTA", _("Monthly quota")),
    Outcome.CREDIT_EXHAUSTED: OutcomeFacts(11, 429, "CREDIT_EXHAUSTED", _("Credit used up")),
    Outcome.SERVICE_UNKNOWN: OutcomeFacts(12, 404, "SERVICE_UNKNOWN", _("No such service")),
    Outcome.UNAVAILABLE: OutcomeFacts(13, 503, "UNAVAILABLE", _("Store unavailable")),
    Outcome.SERVICE_NOT_ALLOWED: OutcomeFacts(14, 403, "SERVICE_NOT_ALLOWED", _("Service not allowed")),
    Outcome.KEY_BUDGET: OutcomeFacts(15, 429, "BUDGET_EXHAUSTED", _("Key’s spend cap reached")),
    Outcome.ACCOUNT_BUDGET: OutcomeFacts(16, 429, "BUDGET_EXHAUSTED", _("Account’s budget used up")),
}

BY_NUMBER: dict[int, Outcome] = {facts.number: outcome for outcome, facts in OUTCOMES.items()}
CHOICES: list[tuple[int, Promise]] = [(facts.number, facts.words) for facts in OUTCOMES.values()]
