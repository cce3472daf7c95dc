"""What was recorded of a change, in the words of who reads it. Names and values are stored in English."""

from __future__ import annotations

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.figures import usd
from accounts.models import Role, TokenScope

FIELDS: dict[str, Promise] = {
    "allows_no_origin": _("requests that name no origin"),
    "amount": _("amount"),
    "answer": _("answer"),
    "asks before showing keys": _("asks before showing keys"),
    "because": _("because"),
    "budget": _("budget"),
    "credit": _("credit"),
    "deleted": _("deleted"),
    "description": _("description"),
    "disabled": _("disabled"),
    "expires": _("expires"),
    "expires_at": _("expires"),
    "from": pgettext_lazy("date", "from"),
    "language": _("language"),
    "name": _("name"),
    "note": _("note"),
    "notices by e-mail": _("notices by e-mail"),
    "on_spike": _("when used far more than usual"),
    "origin": _("origin"),
    "owner": _("owner"),
    "plan": _("plan"),
    "rate_limit": _("requests a second"),
    "reason": _("reason"),
    "reference": _("reference"),
    "refused by": _("refused by"),
    "replaced by": _("replaced by"),
    "replaces": _("replaces"),
    "requests that day": _("requests that day"),
    "requests_per_day": _("requests a day"),
    "requests_per_month": _("requests a month"),
    "restrictions": _("restrictions"),
    "restrictions_mode": _("restrictions are"),
    "retired when unused for": _("retired when unused for"),
    "role": _("role"),
    "scopes": _("may read"),
    "services": _("services"),
    "spend_cap_micro_usd": _("spend cap a month"),
    "type": _("type"),
}
_ANSWERS: dict[str, Promise] = {"yes": _("yes"), "no": _("no")}
# Of the fields that take one of a few values.
VALUES: dict[str, dict[str, Promise]] = {
    "because": {
        "by hand": _("by hand"),
        "it was quiet": _("it was quiet"),
        "the overlap was over": _("the overlap was over"),
    },
    "on_spike": {"report": _("only told"), "quota": _("cut for the day"), "disable": _("disabled")},
    "restrictions_mode": {"enforced": _("enforced"), "report_only": _("report only")},
    "type": {"rest": _("API key"), "tiles": _("Map tiles key")},
}


def field_words(field: str) -> str:
    """The name of what changed; one that is not ours (an operator's form) as it was recorded."""
    return str(FIELDS.get(field, field.replace("_", " ")))


def value_words(field: str, value: str) -> str:
    match field:
        case "role" if value in Role.values:
            return str(Role(value).label)
        case "scopes":
            labels = {scope.value: str(scope.label) for scope in TokenScope}
            return ", ".join(labels.get(each, each) for each in value.split(", "))
        case "spend_cap_micro_usd" if value.isdecimal():
            return usd(int(value))
        case "language":
            return dict(settings.LANGUAGES).get(value, value)
        case _:
            return str(VALUES.get(field, _ANSWERS).get(value, value))
