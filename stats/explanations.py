"""What each outcome means to the owner of the key: what bound the request, and what can be done about it. Pure.

An outcome without words here is an error of the type checker, and of a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from django.utils.translation import gettext as _

from accounts.figures import number
from stats.outcomes import Outcome

_Words = tuple[str, str]


class Repair(StrEnum):
    """What a button beside an explanation leads to; `stats/repairs.py` has the links."""

    ALLOW_ORIGIN = "allow_origin"
    ALLOW_ADDRESS = "allow_address"
    EDIT_RESTRICTIONS = "edit_restrictions"
    UNBLOCK_ORIGIN = "unblock_origin"
    LIFT_SPIKE = "lift_spike"
    EDIT_SERVICES = "edit_services"
    EDIT_LIMITS = "edit_limits"
    EDIT_EXPIRY = "edit_expiry"
    CREATE_REST_KEY = "create_rest_key"
    CREATE_TILES_KEY = "create_tiles_key"
    SEE_PLANS = "see_plans"
    SEE_BILLS = "see_bills"
    READ_DOCUMENTATION = "read_documentation"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit with its number, and whether it is the key's own, lower than the plan's. `window_s`: of a rate.

    `is_cut`: the key was held to it for that day, because it was used far more than usual.
    """

    number: int
    is_keys_own: bool = False
    window_s: int = 1
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What is known of a recorded request.

    `service` is empty where the path named none; `opened_by` is the key type that opens it. `address` is empty
    where the installation keeps addresses back. `limit` is the one that the outcome is about, where it is known.
    `is_blocked` says that the origin was blocked, whatever the list; `is_blocked_now` that it is. `is_spiked`: the
    key is cut or disabled at present for being used far more than usual. `would_refuse`: it passed, as the key's list
    was for report only. `is_over` says that what refused it holds no more; `is_deleted` that the key cannot be
    changed any more.
    """

    outcome: Outcome
    key_type: str
    service: str = ""
    opened_by: str = ""
    is_map_load: bool = False
    origin: str = ""
    address: str = ""
    limit: Limit | None = None
    is_blocked: bool = False
    is_blocked_now: bool = False
    is_spiked: bool = False
    would_refuse: bool = False
    is_over: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """`rule` says what bound the request, `advice` what to do; the best repair comes first."""

    rule: str
    advice: str
    repairs: tuple[Repair, ...] = ()


def explanation_of(facts: RequestFacts) -> Explanation:
    """What to tell the owner of the key about a request."""
    rule, advice = _words(facts)
    repairs = () if facts.is_over else _repairs(facts)
    if facts.is_over:
        advice = _("Nothing: what refused it has been changed since.")
    return Explanation(rule, advice, tuple(each for each in repairs if not (facts.is_deleted and each in _ON_THE_KEY)))


_ON_THE_KEY = frozenset(
    {
        Repair.ALLOW_ORIGIN,
        Repair.ALLOW_ADDRESS,
        Repair.EDIT_RESTRICTIONS,
        Repair.UNBLOCK_ORIGIN,
        Repair.LIFT_SPIKE,
        Repair.EDIT_SERVICES,
        Repair.EDIT_LIMITS,
        Repair.EDIT_EXPIRY,
    }
)


def _words(facts: RequestFacts) -> _Words:  # noqa: C901 — a table, with a case for each outcome.
    match facts.outcome:
        case Outcome.ALLOWED if facts.would_refuse:
            return (
                _("It passed because the key’s list is for report only. Enforced, the list would have refused it."),
                _("If it is one of yours, allow it before you enforce the list."),
            )
        case Outcome.ALLOWED:
            return _("Nothing bound it: it was allowed."), _("Nothing.")
        case Outcome.KEY_MISSING:
            return _("It carried no key."), _("Add your key to its URL as the parameter api_key.")
        case Outcome.KEY_UNKNOWN:
            return _("No key has the text that it carried."), _("Copy the key again from your list of keys.")
        case Outcome.KEY_REVOKED:
            return _("The key was deleted."), _("Use another key where this one is still in use, or make a new one.")
        case Outcome.KEY_DISABLED:
            return _("The key was disabled."), _("Enable it, or use another key where this one is still in use.")
        case Outcome.KEY_EXPIRED:
            return _("The key had expired."), _("Give it a later expiry, or use another key.")
        case Outcome.KEY_TYPE:
            return _wrong_type(facts)
        case Outcome.ORIGIN_NOT_ALLOWED:
            return _not_allowed(facts)
        case Outcome.SERVICE_NOT_ALLOWED:
            rule = _("The key opens some services only, and %(service)s is none of them.") % {"service": facts.service}
            return rule, _("Add the service to those that the key opens, or use another key.")
        case Outcome.SERVICE_UNKNOWN:
            return _("No API answers at the path that it asked for."), _("Check the path for typing errors.")
        case Outcome.UNAVAILABLE:
            return _("It could not be checked just then."), _("Send it again; the trouble was on our side.")
        case Outcome.KEY_BUDGET:
            rule = _("What the key may cost in a month, its own spend cap, was used up.")
            return rule, _("Raise the key’s spend cap, or wait until the next month.")
        case Outcome.ACCOUNT_BUDGET:
            rule = _("The budget that the account has set itself for the month was used up.")
            return rule, _("Raise the budget, or wait until the next month.")
        case (Outcome.RATE_LIMIT | Outcome.DAILY_QUOTA | Outcome.MONTHLY_QUOTA | Outcome.CREDIT_EXHAUSTED) as outcome:
            return _limit_rule(outcome, facts), _limit_advice(outcome, facts)
        case _:
            assert_never(facts.outcome)


def _wrong_type(facts: RequestFacts) -> _Words:
    words = {"service": facts.service}
    if facts.opened_by == "tiles":
        return (
            _("The key is an API key, and %(service)s is opened by map tiles keys.") % words,
            _("Use a map tiles key (gm_…) for it. An API key can’t be made into one."),
        )
    return (
        _("The key is a map tiles key, and %(service)s is opened by API keys.") % words,
        _("Use an API key (gr_…) for it. A map tiles key can’t be made into one."),
    )


def _not_allowed(facts: RequestFacts) -> _Words:
    if facts.is_blocked:
        return (
            _("It came from %(origin)s, which is blocked on this key, whatever the list says.")
            % {"origin": facts.origin},
            _("If the site is yours after all, unblock it on the key’s page. If it is not, the block kept it out."),
        )
    if facts.origin:
        return (
            _("It came from %(origin)s, and no entry of the key’s list lets that pass.") % {"origin": facts.origin},
            _("If the site is yours, allow it. If it is not, somebody else uses your key, and the list kept them out."),
        )
    return (
        _("It named no web site, and no IP address on the key’s list fits."),
        _("Apps and servers name no web site: allow the IP address of yours, or use a key without web sites for them."),
    )


def _limit_rule(outcome: Outcome, facts: RequestFacts) -> str:
    whose = _("the key’s own limit") if facts.limit and facts.limit.is_keys_own else _("the plan’s limit")
    words = {"whose": whose, "number": number(facts.limit.number) if facts.limit else ""}
    if outcome is Outcome.CREDIT_EXHAUSTED:
        return _("The month’s credit and the balance were used up.")
    if facts.limit is None:
        return _("A limit was reached; it has been lifted since, or its number is not known.")
    if facts.limit.is_cut:
        return _("The key was cut to %(number)s requests that day: it was used far more than usual.") % words
    if outcome is Outcome.DAILY_QUOTA:
        return _("The key’s %(number)s requests of that day were used up: %(whose)s.") % words
    if outcome is Outcome.MONTHLY_QUOTA and facts.is_map_load:
        return _("The account’s %(number)s map loads of that month were used up: %(whose)s.") % words
    if outcome is Outcome.MONTHLY_QUOTA:
        return _("The account’s %(number)s requests of that month were used up: %(whose)s.") % words
    words["seconds"] = number(facts.limit.window_s)
    if facts.limit.window_s == 1:
        return _("More than %(number)s requests came within a second from one IP address: %(whose)s.") % words
    return _("More than %(number)s requests came within %(seconds)s seconds from one IP address: %(whose)s.") % words


def _limit_advice(outcome: Outcome, facts: RequestFacts) -> str:
    if outcome is Outcome.RATE_LIMIT:
        return _("Send requests more slowly, and wait as long as the answer’s Retry-After says before the next.")
    if outcome is Outcome.CREDIT_EXHAUSTED:
        return _("Wait for the next month’s credit, or add to the balance.")
    if facts.limit and facts.limit.is_cut:
        return _("See who used it. If all is well, lift the cut; it ends with the day in any case.")
    if facts.limit and facts.limit.is_keys_own:
        return _("Raise the key’s limit, or wait until its day has ended.")
    if outcome is Outcome.DAILY_QUOTA:
        return _("Wait until the next day, or change to a plan that allows more.")
    return _("Wait until the next month, or change to a plan that allows more.")


def _repairs(facts: RequestFacts) -> tuple[Repair, ...]:  # noqa: C901 — likewise.
    create = Repair.CREATE_TILES_KEY if (facts.opened_by or facts.key_type) == "tiles" else Repair.CREATE_REST_KEY
    match facts.outcome:
        case Outcome.ORIGIN_NOT_ALLOWED if facts.is_blocked_now:
            return (Repair.UNBLOCK_ORIGIN,)
        case Outcome.KEY_DISABLED if facts.is_spiked:
            return Repair.LIFT_SPIKE, create
        case Outcome.DAILY_QUOTA if facts.limit and facts.limit.is_cut:
            return (Repair.LIFT_SPIKE,) if facts.is_spiked else ()
        case Outcome.ALLOWED if facts.would_refuse:
            return _repairs_of_list(facts)
        case Outcome.ORIGIN_NOT_ALLOWED:
            return _repairs_of_list(facts)
        case Outcome.KEY_TYPE | Outcome.KEY_REVOKED | Outcome.KEY_DISABLED | Outcome.KEY_UNKNOWN:
            return (create,)
        case Outcome.KEY_EXPIRED:
            return Repair.EDIT_EXPIRY, create
        case Outcome.SERVICE_NOT_ALLOWED:
            return (Repair.EDIT_SERVICES,)
        case Outcome.RATE_LIMIT | Outcome.DAILY_QUOTA | Outcome.MONTHLY_QUOTA:
            return (Repair.EDIT_LIMITS if facts.limit and facts.limit.is_keys_own else Repair.SEE_PLANS,)
        case Outcome.KEY_BUDGET:
            return (Repair.EDIT_LIMITS,)
        case Outcome.CREDIT_EXHAUSTED | Outcome.ACCOUNT_BUDGET:
            return (Repair.SEE_BILLS,)
        case Outcome.SERVICE_UNKNOWN:
            return (Repair.READ_DOCUMENTATION,)
        case Outcome.ALLOWED | Outcome.KEY_MISSING | Outcome.UNAVAILABLE:
            return ()
        case _:
            assert_never(facts.outcome)


def _repairs_of_list(facts: RequestFacts) -> tuple[Repair, ...]:
    if facts.origin:
        return Repair.ALLOW_ORIGIN, Repair.EDIT_RESTRICTIONS
    return (Repair.ALLOW_ADDRESS, Repair.EDIT_RESTRICTIONS) if facts.address else (Repair.EDIT_RESTRICTIONS,)
