"""Every answer of the gate, as bytes: status, CORS, request id, limits, body. Pure.

Messages help the caller and tell a stranger nothing about a key.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import NamedTuple

from gate.calendar import Moment, whole_seconds
from gate.snapshot import KeySnapshot, ServiceFacts
from gate.specs import NO_LIMIT, Kind, Verdict, kind_of, month_limit, own_month_limit
from keys.limits import MAP_PART_RATE_LIMIT
from stats.outcomes import OUTCOMES, Outcome

CORS = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Expose-Headers: X-Request-Id, RateLimit, RateLimit-Policy, Retry-After,"
    b" Goongdash-Would-Refuse\r\n"
)
# To requests that a list for report only would refuse: their developers see it, and nobody is cut off.
WOULD_REFUSE = b"Goongdash-Would-Refuse: %b\r\n" % OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].code.encode()
PREFLIGHT = (
    b"Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
    b"Access-Control-Allow-Headers: *\r\n"
    b"Access-Control-Max-Age: 86400\r\n"
)
_PASS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\nX-Request-Id: %b\r\n" + CORS
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_MESSAGES = {
    "KEY_MISSING": "This request has no API key. Add your key as the query parameter api_key.",
    "KEY_INVALID": "This API key is not valid. Check it for typing errors or make a new one on your keys page.",
    "ORIGIN_NOT_ALLOWED": "This API key may not be used from this web site or IP address.",
    "MONTHLY_QUOTA": "The plan's requests of this month are used up.",
    "CREDIT_EXHAUSTED": "The account's credit of this month is used up.",
    "BUDGET_EXHAUSTED": "The budget that the account has set itself for this month is used up.",
    "SERVICE_UNKNOWN": "There is no such API. Check the path.",
    "UNAVAILABLE": "The request could not be checked just now. Try again in a moment.",
}
_TYPE_NAMES = {"rest": "a REST API key (gr_…)", "tiles": "a map tiles key (gm_…)"}


class Reply(NamedTuple):
    """An answer before it is bytes. `headers` are whole lines with their ends."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: bytes = b""


def encode_reply(reply: Reply, *, request_id: bytes, is_head: bool, closes: bool) -> bytes:
    """The answer on the wire. A HEAD answer says how long the body would be and has none."""
    return b"".join(
        (
            b"HTTP/1.1 %d %s\r\n" % (reply.status, _REASONS[reply.status]),
            b"Content-Type: %s\r\n" % reply.content_type if reply.status != 204 else b"",
            b"Content-Length: %d\r\n" % len(reply.body) if reply.status != 204 else b"",
            b"X-Request-Id: %b\r\n" % request_id,
            CORS,
            b"Cache-Control: no-store\r\n" if reply.status >= 400 else b"",
            b"Connection: close\r\n" if closes else b"",
            reply.headers,
            b"\r\n",
            b"" if is_head else reply.body,
        )
    )


def pass_text(identity: bytes, policy: bytes, limits: bytes) -> bytes:
    """What a proxy is told most of all, that a request may pass, with a place for its id and for each number."""
    return b"%b%b%b%b\r\n" % (_PASS, identity, policy, limits)


def error_reply(status: int, code: str, message: str, request_id: bytes, headers: bytes = b"") -> Reply:
    body = json.dumps({"message": message, "code": code, "request_id": request_id.decode()})
    return Reply(status, body.encode(), headers=headers)


def for_proxy(reply: Reply) -> Reply:
    """The answer to a proxy's question: a refusal's body stands in a header too, for nginx, which drops bodies."""
    if reply.status < 400:
        return reply
    return reply._replace(headers=reply.headers + b"X-Gate-Body: %s\r\n" % reply.body)


def refusal_reply(
    outcome: Outcome,
    *,
    request_id: bytes,
    key: KeySnapshot | None = None,
    service: ServiceFacts | None = None,
    headers: bytes = b"",
    retry_after_s: int | None = None,
    is_own: bool = False,
) -> Reply:
    """The answer of the outcome table; `retry_after_s` for what passes with time, `is_own` for the key's own month."""
    facts = OUTCOMES[outcome]
    if retry_after_s is not None:
        headers += b"Retry-After: %d\r\n" % retry_after_s
    return error_reply(facts.status, facts.code, message_of(outcome, key, service, is_own=is_own), request_id, headers)


def message_of(outcome: Outcome, key: KeySnapshot | None, service: ServiceFacts | None, *, is_own: bool = False) -> str:
    """What the caller is told: the limit that bound, and whose it is."""
    match outcome:
        case Outcome.KEY_TYPE if service is not None:
            return f"This kind of key does not open {service.name}. Use {_TYPE_NAMES[service.key_type]} for it."
        case Outcome.SERVICE_NOT_ALLOWED if service is not None:
            return f"This API key may not call {service.name}. Its owner can allow that on the key's page."
        case Outcome.RATE_LIMIT if key is not None:
            return f"Too many requests: {_rate_text(key, service)} for a key and IP address. Slow down and try again."
        case Outcome.DAILY_QUOTA if key is not None:
            return f"The daily limit of this key, {key.requests_per_day:,}, is used up."
        case Outcome.MONTHLY_QUOTA if is_own and key is not None and key.own is not None:
            return f"The monthly limit of this key, {key.own.requests_per_month:,}, is used up."
        case Outcome.KEY_BUDGET:
            return "What this key may cost in a month is used up."
        case Outcome.MONTHLY_QUOTA if service is not None and service.unit == "map_load":
            return "The plan's map loads of this month are used up."
        case _:
            return _MESSAGES.get(OUTCOMES[outcome].code, "The request was refused.")


def retry_after_s(verdict: Verdict, moment: Moment) -> int | None:
    """Seconds until a request like this one may pass, None where time alone does not help."""
    match verdict.outcome:
        case Outcome.RATE_LIMIT:
            return whole_seconds(verdict.wait_us)
        case Outcome.DAILY_QUOTA:
            return moment.day_left_s
        case Outcome.MONTHLY_QUOTA | Outcome.CREDIT_EXHAUSTED | Outcome.KEY_BUDGET | Outcome.ACCOUNT_BUDGET:
            return moment.month_left_s
        case _:
            return None


def policy_header(key: KeySnapshot, service: ServiceFacts | None) -> bytes:
    """`RateLimit-Policy` of a key for a service (draft-ietf-httpapi-ratelimit-headers-10)."""
    kind = kind_of(key, service)
    if kind is Kind.MAP_PART:
        return f'RateLimit-Policy: "rate";q={MAP_PART_RATE_LIMIT};w=1\r\n'.encode()
    policies = [f'"rate";q={key.rate_limit};w={key.rate_window_s}']
    if key.requests_per_day is not None:
        policies.append(f'"day";q={key.requests_per_day};w=86400')
    per_month = month_limit(key, kind)
    if per_month is not None:
        policies.append(f'"month";q={per_month}')
    if (own := own_month_limit(key)) is not None:
        policies.append(f'"key-month";q={own}')
    return f"RateLimit-Policy: {', '.join(policies)}\r\n".encode()


def limit_text(key: KeySnapshot, service: ServiceFacts | None) -> bytes:
    """The `RateLimit` header of a key for a service with a place for each of its numbers, which `limit_numbers` fill.

    What is left of each limit, and in how many seconds it is whole again.
    """
    kind = kind_of(key, service)
    limits = ['"rate";r=%d;t=%d']
    if kind is not Kind.MAP_PART and key.requests_per_day is not None:
        limits.append('"day";r=%d;t=%d')
    if kind is not Kind.MAP_PART and month_limit(key, kind) is not None:
        limits.append('"month";r=%d;t=%d')
    if kind is not Kind.MAP_PART and own_month_limit(key) is not None:
        limits.append('"key-month";r=%d;t=%d')
    return f"RateLimit: {', '.join(limits)}\r\n".encode()


def limit_numbers(window_s: int, verdict: Verdict, moment: Moment) -> tuple[int, ...]:
    """What goes into the places of `limit_text`."""
    _, left_rate, wait_us, left_day, left_month, left_own = verdict
    rate_s = whole_seconds(wait_us) if wait_us else window_s
    if left_own != NO_LIMIT:
        plans = limit_numbers(window_s, verdict._replace(left_own=NO_LIMIT), moment)
        return *plans, left_own, moment.month_left_s
    if left_day == NO_LIMIT:
        if left_month == NO_LIMIT:
            return left_rate, rate_s
        return left_rate, rate_s, left_month, moment.month_left_s
    if left_month == NO_LIMIT:
        return left_rate, rate_s, left_day, moment.day_left_s
    return left_rate, rate_s, left_day, moment.day_left_s, left_month, moment.month_left_s


def _rate_text(key: KeySnapshot, service: ServiceFacts | None) -> str:
    if kind_of(key, service) is Kind.MAP_PART:
        return f"at most {MAP_PART_RATE_LIMIT} a second"
    window = "a second" if key.rate_window_s == 1 else f"in {key.rate_window_s} seconds"
    return f"at most {key.rate_limit} {window}"
