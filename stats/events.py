"""The usage event: what the gate says of one request, and the only encoder and decoder of it. Pure.

A stream entry holds the events of one script call: field `t`, the store's clock in microseconds; `n`, how many
events of this shard came before; `e`, the events, one a line. A line is the outcome's number, whether the request
is charged (0: another one covers it, as in an autocomplete session; 1:<micro-dollars> where what it costs depends on
those before it), and what `encode_request` and `encode_caller` made, with tabs between. Only an allowed and charged
request has units and a cost, whatever the line offers. A request that the key's list would refuse, were it enforced,
has one field more (1, after the price). An entry that was spooled while the store was away has a field `r` as well,
and its time is the gate's.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from itertools import compress
from struct import unpack
from typing import Any, NamedTuple
from uuid import UUID

from goongdash.lib.clock import from_epoch_us, to_epoch_us
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome

ORIGIN_MAX_LENGTH = 255
# Of the page's path, which browsers seldom send; what is longer is kept in part.
PATH_MAX_LENGTH = 255

# Nothing passes that the record table would refuse: one such entry would stop its shard's ingest for ever.
# The bounds are those of the columns, of the script's exact integers, and of the year 9998.
_TIME_MAX_US = 253_370_000_000_000_000
_MAX_INTEGER = 2**31 - 1
_BILLABLE = {facts.number for facts in OUTCOMES.values() if facts.is_billable}
_HEAD = re.compile(
    rb"([0-9]{1,2})\t([01])(?::([0-9]{1,10}))?\t([0-9]{1,18})\t([0-9]{1,18})\t([0-9]{1,9})\t([0-9]{1,4})"
    rb"\t([0-9]{1,10})(?:\t(1))?"
)
# Of IPv4 only the usual form, which is read here: `ip_address` takes ten times as long.
_BYTE = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rb"%b(?:\.%b){3}" % (_BYTE, _BYTE))
_IPV6 = re.compile(rb"[0-9a-fA-F.:]{2,45}")
# A request id as text: five runs of hexadecimal digits, with dashes at these places.
_ID_LENGTH, _DASHES_AT = 36, (8, 13, 18, 23)


class EventUnreadable(ValueError):
    """A stream entry that no gate of ours wrote; `args[0]` says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One request as the gate decided it. `service_id` is 0 where the path names no service.

    `page_path` is that of the page it came from, empty where that said nothing but its origin. `would_refuse`: the
    key's list is for report only, and had it been enforced, the request would have been refused for its origin.
    """

    at: datetime
    account_id: int
    key_id: int
    service_id: int
    outcome: Outcome
    units: int
    cost_micro_usd: int
    ip: str
    origin: str
    request_id: str
    page_path: str = ""
    would_refuse: bool = False


class Replay(StrEnum):
    """How sure the gate was, when it spooled the events of an entry, that the store had never counted them.

    SURE: they were never sent to it. UNSURE: they were, and its answer was lost.
    """

    SURE = "sure"
    UNSURE = "unsure"


class EventHead(NamedTuple):
    """What is the same for many requests: who called what, what was decided (its number), and what it costs."""

    account_id: int
    key_id: int
    service_id: int
    number: int
    units: int
    cost_micro_usd: int
    would_refuse: bool


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """The events of one entry, their time, and how many events its shard had seen before them.

    The events stand here by their parts, as the entry has them, one of each for every event: so thousands can be
    dealt with quickly. `read_head`, `read_ip` and `read_page` make something of them. `request_ids` are sixteen bytes
    each. `replay` is None for what the store counted as it came.
    """

    n_before: int
    at: datetime
    heads: tuple[bytes, ...]
    ips: tuple[bytes, ...]
    pages: tuple[bytes, ...]
    request_ids: tuple[bytes, ...]
    replay: Replay | None = None

    @property
    def n_events(self) -> int:
        return len(self.request_ids)

    @property
    def events(self) -> tuple[UsageEvent, ...]:
        """The same as events that each stand for themselves. Raises EventUnreadable."""
        return tuple(map(self._event, self.heads, self.ips, self.pages, self.request_ids))

    def only(self, is_wanted: Sequence[bool]) -> StreamEntry:
        """The entry with those of its events for which `is_wanted` holds, which may be none."""
        columns = (self.heads, self.ips, self.pages, self.request_ids)
        heads, ips, pages, request_ids = (tuple(compress(column, is_wanted)) for column in columns)
        return replace(self, heads=heads, ips=ips, pages=pages, request_ids=request_ids)

    def _event(self, head_text: bytes, ip: bytes, page: bytes, request_id: bytes) -> UsageEvent:
        head, (origin, page_path) = read_head(head_text), read_page(page)
        return UsageEvent(
            at=self.at,
            account_id=head.account_id,
            key_id=head.key_id,
            service_id=head.service_id,
            outcome=BY_NUMBER[head.number],
            units=head.units,
            cost_micro_usd=head.cost_micro_usd,
            ip=read_ip(ip),
            origin=origin,
            request_id=str(UUID(bytes=request_id)),
            page_path=page_path,
            would_refuse=head.would_refuse,
        )


def encode_request(
    *,
    account_id: int,
    key_id: int,
    service_id: int,
    units: int,
    price_micro_usd: int,
    would_refuse: bool = False,
) -> bytes:
    """The part of an event line that is the same for every request of a key to a service."""
    flag = b"1\t" if would_refuse else b""
    return b"%d\t%d\t%d\t%d\t%d\t%b" % (account_id, key_id, service_id, units, price_micro_usd, flag)


def encode_caller(*, ip: str, origin: str, request_id: str, page_path: str = "") -> bytes:
    """The part of an event line that differs from request to request."""
    # A link-local address may name an interface of ours; that says nothing of the caller.
    return join_request(b"", ip.partition("%")[0].encode(), encode_origin(origin, page_path), request_id.encode())


def encode_origin(origin: str, page_path: str = "") -> bytes:
    """An origin as one field of one line, whatever was in it; a path that is more than "/" follows, after 0x1F."""
    field = _one_line(origin, ORIGIN_MAX_LENGTH)
    if page_path not in ("", "/"):
        field += f"\x1f{_one_line(page_path, PATH_MAX_LENGTH)}"
    return field.encode(errors="replace")


def join_request(head: bytes, ip: bytes, origin: bytes, request_id: bytes) -> bytes:
    """`encode_request` and `encode_caller` together, for parts that are encoded already, as the gate keeps them."""
    return b"%b%b\t%b\t%b" % (head, ip, origin, request_id)


def encode_line(outcome: Outcome, request: bytes, *, is_charged: bool, cost_micro_usd: int | None = None) -> bytes:
    """The line of one event: what was decided, before what `join_request` made; with its cost where it names none."""
    if is_charged and cost_micro_usd is not None:
        return b"%d\t1:%d\t%b" % (OUTCOMES[outcome].number, cost_micro_usd, request)
    return b"%d\t%d\t%b" % (OUTCOMES[outcome].number, is_charged, request)


def encode_entry(*, n_before: int, at: datetime, lines: list[tuple[Outcome, bytes]]) -> dict[Any, Any]:
    """The fields of a stream entry, as the gate's script writes them; every allowed request is charged."""
    return {
        "t": to_epoch_us(at),
        "n": n_before,
        "e": b"\n".join(
            encode_line(outcome, request, is_charged=OUTCOMES[outcome].is_billable) for outcome, request in lines
        ),
    }


def decode_entry(fields: Mapping[bytes, bytes]) -> StreamEntry:
    """The events of one stream entry, in the order of their decision. Raises EventUnreadable."""
    entry = split_entry(fields)
    for read, texts in ((read_head, entry.heads), (read_ip, entry.ips), (read_page, entry.pages)):
        for text in texts:
            read(text)
    return entry


def split_entry(fields: Mapping[bytes, bytes]) -> StreamEntry:
    """As `decode_entry`, but heads, addresses and pages are yet to be read, each by its function.

    Raises EventUnreadable for what none of them would see.
    """
    try:
        at_us, n_before = _number(fields[b"t"], digits=18), _number(fields[b"n"], digits=15)
        if at_us > _TIME_MAX_US:
            raise EventUnreadable(f"Its time is {at_us}.")
        text = fields[b"e"]
        text.decode()
        if b"\x00" in text:
            raise EventUnreadable("There is a NUL in it.")
        columns = zip(*[line.rsplit(b"\t", 3) for line in text.split(b"\n")], strict=True)
        heads, ips, pages, request_ids = columns
        replay = Replay(fields[b"r"].decode()) if b"r" in fields else None
        return StreamEntry(n_before, from_epoch_us(at_us), heads, ips, pages, _request_ids(request_ids), replay)
    except KeyError as error:
        raise EventUnreadable(f"There is no {error}.") from error
    except ValueError as error:
        raise EventUnreadable(str(error)) from error


def read_head(text: bytes) -> EventHead:
    """What a line says before its caller. Raises EventUnreadable."""
    match = _HEAD.fullmatch(text)
    if match is None:
        raise EventUnreadable(f"{text!r} begins no event.")
    cost_of_its_own = match[3]
    number, is_charged, _, account_id, key_id, service_id, units, price, flag = map(int, match.groups(b"0"))
    cost = price if cost_of_its_own is None else int(cost_of_its_own)
    if number not in BY_NUMBER or cost > _MAX_INTEGER:
        raise EventUnreadable(f"{text!r} has an outcome or a price that there is not.")
    if not (is_charged and number in _BILLABLE):
        units = cost = 0
    return EventHead(account_id, key_id, service_id, number, units, cost, bool(flag))


def read_ip(text: bytes) -> str:
    """An address in its usual form. Raises EventUnreadable."""
    if _IPV4.fullmatch(text):
        return text.decode()
    if not _IPV6.fullmatch(text):
        raise EventUnreadable(f"{text!r} is no address.")
    try:
        return str(ip_address(text.decode()))
    except ValueError as error:
        raise EventUnreadable(str(error)) from error


def read_page(text: bytes) -> tuple[str, str]:
    """An origin and the path behind it, empty where there is none. Raises EventUnreadable."""
    origin, mark, path = text.decode().partition("\x1f")
    if len(origin) > ORIGIN_MAX_LENGTH:
        raise EventUnreadable(f"{text!r} is no origin.")
    if mark and (not 0 < len(path) <= PATH_MAX_LENGTH or "\x1f" in path):
        raise EventUnreadable(f"{text!r} has no path after its mark.")
    return origin, path


def _request_ids(texts: Sequence[bytes]) -> tuple[bytes, ...]:
    """Sixteen bytes for each; all are looked at together, which takes a tenth of the time. Raises EventUnreadable."""
    text, n_dashes = b"".join(texts), len(texts) * len(_DASHES_AT)
    dashes = b"".join(text[place::_ID_LENGTH] for place in _DASHES_AT)
    others = text.translate(None, b"0123456789abcdef")
    if not ({*map(len, texts)} == {_ID_LENGTH} and dashes == others == b"-" * n_dashes):
        raise EventUnreadable(f"{texts!r} are not all request ids.")
    return unpack("16s" * len(texts), unhexlify(text.replace(b"-", b"")))


def _number(text: bytes, *, digits: int) -> int:
    if not text.isdigit() or len(text) > digits:
        raise EventUnreadable(f"{text!r} is no number.")
    return int(text)


def _one_line(text: str, max_length: int) -> str:
    """The text without what would end the field, the line, or PostgreSQL's patience (a NUL)."""
    return " ".join(text[:max_length].replace("\x00", " ").split())
