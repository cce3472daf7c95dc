"""What was recorded of a change, in the words of who reads it. Names and values are stored in English."""

from __future__ import annotations

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Role, TokenScope

FIELDS: dict[str, Promise] = {
    "allows_no_origin": _("requests that name no origin"),
    "amount": _("amount"),
    "answer": _("answer"),
    "asks before showing keys": _("asks before showing keys"),
    "because": _("because"),
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
    "owner": _("owner"),
    "plan": _("plan"),
    "rate_limit": _("requests a second"),
    "reason": _("reason"),
    "reference": _("reference"),
    "refused by": _("refused by"),
    "replaced by": _("replaced by"),
    "replaces": _("replaces"),
    "requests_per_day": _("requests a day"),
    "restrictions": _("restrictions"),
    "restrictions_mode": _("restrictions are"),
    "retired when unused for": _("retired when unused for"),
    "role": _("role"),
    "scopes": _("may read"),
    "services": _("services"),
    "type": _("type"),
}
_VALUES: dict[str, Promise] = {"yes": _("yes"), "no": _("no")}


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
        case "language":
            return dict(settings.LANGUAGES).get(value, value)
        case _:
            return str(_VALUES.get(value, value))
