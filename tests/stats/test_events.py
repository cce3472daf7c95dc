"""An event reads back as it was said, whatever the caller put into it; anything else is unreadable, and only that."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.events import (
    ORIGIN_MAX_LENGTH,
    EventUnreadable,
    UsageEvent,
    decode_entry,
    encode_caller,
    encode_entry,
)
from stats.outcomes import BY_NUMBER, OUTCOMES, Outcome
from tests.factories import T0
from tests.road import event_line

Fields = dict[bytes, bytes]

IDS = st.integers(0, 2**53)
# Headers as a hostile caller may send them: the codec's own separators, NULs, half characters, any script.
ORIGINS = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="\t\n\r\x00\x0b\x85\u2028\ud800 é日https://", max_size=300),
)
EVENTS = st.builds(
    UsageEvent,
    at=st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    account_id=IDS,
    key_id=IDS,
    service_id=st.integers(0, 10**9 - 1),
    outcome=st.sampled_from(Outcome),
    units=st.integers(0, 9_999),
    cost_micro_usd=st.integers(0, 2**31 - 1),
    ip=st.ip_addresses().map(str),
    origin=ORIGINS,
    request_id=st.uuids().map(str),
    page_path=st.from_regex(r"(/[!-~]{1,200})?", fullmatch=True),
    would_refuse=st.booleans(),
)
EVENT = UsageEvent(T0, 1, 2, 3, Outcome.ALLOWED, 1, 5_000, "203.0.113.7", "https://example.com", str(uuid.UUID(int=7)))


def wire(*events: UsageEvent, n_before: int = 0) -> Fields:
    """The fields of an entry of `events` as Redis gives them back."""
    entry = encode_entry(n_before=n_before, at=events[0].at, lines=[event_line(event) for event in events])
    return {name.encode(): value if isinstance(value, bytes) else str(value).encode() for name, value in entry.items()}


def one_field_more(flag: str) -> Fields:
    """A good entry in whose one line a field follows the price."""
    fields = wire(EVENT)[b"e"].decode().split("\t")
    return {**wire(EVENT), b"e": "\t".join([*fields[:7], flag, *fields[7:]]).encode()}


def line_with(**fields: str) -> Fields:
    """A good entry in whose one line the named fields are something else."""
    names = ["outcome", "is_charged", "account", "key", "service", "units", "price", "ip", "origin", "request_id"]
    good = dict(zip(names, wire(EVENT)[b"e"].decode().split("\t"), strict=True))
    return {**wire(EVENT), b"e": "\t".join({**good, **fields}.values()).encode()}


@given(st.lists(EVENTS, min_size=1, max_size=5), st.integers(0, 10**15 - 1))
def test_events_read_back_as_they_were_said(events: list[UsageEvent], n_before: int) -> None:
    at = events[0].at
    events = [replace(event, at=at) for event in events]

    entry = decode_entry(wire(*events, n_before=n_before))

    assert entry.n_before == n_before
    assert len(entry.events) == len(events)
    for said, read in zip(events, entry.events, strict=True):
        is_allowed = said.outcome is Outcome.ALLOWED
        assert read == replace(
            said,
            units=said.units if is_allowed else 0,
            cost_micro_usd=said.cost_micro_usd if is_allowed else 0,
            ip=read.ip,
            origin=read.origin,
        )
        assert ip_address(read.ip) == ip_address(said.ip)


@given(ORIGINS)
def test_origin_keeps_its_words_in_one_line_that_the_record_table_takes(origin: str) -> None:
    (event,) = decode_entry(wire(replace(EVENT, origin=origin))).events

    assert len(event.origin) <= ORIGIN_MAX_LENGTH
    assert not set(event.origin) & set("\t\n\r\x00")
    assert event.origin == event.origin.encode().decode()
    assert (
        event.origin.split()
        == origin[:ORIGIN_MAX_LENGTH].encode(errors="replace").decode().replace("\x00", " ").split()
    )


@given(EVENTS)
def test_only_an_allowed_request_has_units_and_a_cost(event: UsageEvent) -> None:
    (read,) = decode_entry(wire(event)).events

    if not OUTCOMES[read.outcome].is_billable:
        assert (read.units, read.cost_micro_usd) == (0, 0)
    assert OUTCOMES[read.outcome].is_billable == (read.outcome is Outcome.ALLOWED)


@given(
    st.dictionaries(
        st.sampled_from([b"t", b"n", b"e", b"x"]),
        st.one_of(st.binary(max_size=60), st.integers().map(lambda n: b"%d" % n)),
    )
)
def test_garbage_raises_nothing_but_unreadable(fields: Fields) -> None:
    try:
        decode_entry(fields)
    except EventUnreadable as error:
        assert str(error)


@given(st.sampled_from(sorted(wire(EVENT))), st.binary(max_size=40))
def test_entry_with_one_field_spoilt_raises_nothing_but_unreadable(name: bytes, value: bytes) -> None:
    try:
        decode_entry({**wire(EVENT), name: value})
    except EventUnreadable as error:
        assert str(error)


@given(st.data())
def test_line_with_one_byte_changed_is_read_as_an_event_or_unreadable(data: st.DataObject) -> None:
    line = bytearray(wire(EVENT)[b"e"])
    line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))

    try:
        (event,) = decode_entry({**wire(EVENT), b"e": bytes(line)}).events
    except EventUnreadable:
        return
    ip_address(event.ip)
    uuid.UUID(event.request_id)
    assert event.account_id < 2**63


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {**wire(EVENT), b"e": b""},
        {**wire(EVENT), b"e": wire(EVENT)[b"e"] + b"\n"},
        {**wire(EVENT), b"e": b"\xff\xfe"},
        {**wire(EVENT), b"t": b"-1"},
        {**wire(EVENT), b"t": b"9" * 30},
        {**wire(EVENT), b"t": b"253400000000000000"},
        {**wire(EVENT), b"n": b"-1"},
        {**wire(EVENT), b"n": b"1e9"},
        {**wire(EVENT), b"n": b"9" * 16},
        line_with(outcome="17"),
        line_with(is_charged="1:"),
        line_with(is_charged="1:-1"),
        line_with(is_charged="1:" + "9" * 16),
        line_with(is_charged="2"),
        line_with(outcome="-1"),
        line_with(account="9" * 19),
        line_with(account="-1"),
        line_with(account="1_000"),
        line_with(key=""),
        line_with(units="32768"),
        line_with(units="-1"),
        line_with(service="1" + "0" * 9),
        line_with(price=str(2**31)),
        line_with(price="-5000"),
        line_with(price="0.5"),
        line_with(ip="999.0.0.1"),
        line_with(ip="fe80::1%eth0"),
        line_with(ip="10.0.0.0/8"),
        line_with(ip=""),
        line_with(origin="a\x00b"),
        line_with(origin="o" * 256),
        line_with(origin="o\x1f"),
        line_with(origin="o\x1f/" + "p" * 255),
        line_with(origin="o\x1f/a\x1f/b"),
        one_field_more("0"),
        one_field_more("11"),
        one_field_more(""),
        line_with(request_id="7"),
        line_with(request_id="{00000000-0000-0000-0000-000000000007}"),
        line_with(request_id=str(uuid.UUID(int=7)) + "\textra"),
    ],
)
def test_what_the_record_table_would_refuse_is_unreadable(fields: Fields) -> None:
    with pytest.raises(EventUnreadable):
        decode_entry(fields)


def test_line_of_a_gate_that_knew_no_modes_and_no_paths_is_read() -> None:
    line = b"0\t1\t1\t2\t3\t1\t5000\t203.0.113.7\thttps://example.com\t00000000-0000-0000-0000-000000000007"
    assert wire(EVENT)[b"e"] == line
    (event,) = decode_entry({**wire(EVENT), b"e": line}).events
    assert (event.origin, event.page_path, event.would_refuse) == ("https://example.com", "", False)


@pytest.mark.parametrize(
    ("said", "read"), [("/", ""), ("", ""), ("/shop", "/shop"), ("/" + "a" * 400, "/" + "a" * 254)]
)
def test_path_of_the_page_is_kept_beside_its_origin(said: str, read: str) -> None:
    (event,) = decode_entry(wire(replace(EVENT, page_path=said, would_refuse=True))).events
    assert event == replace(EVENT, page_path=read, would_refuse=True)


def test_link_local_caller_is_kept_without_our_interface() -> None:
    assert encode_caller(ip="fe80::1%eth0", origin="", request_id="r") == b"fe80::1\t\tr"


def test_every_outcome_has_a_number_of_its_own_that_never_changes() -> None:
    assert [OUTCOMES[outcome].number for outcome in Outcome] == list(range(17))
    assert {BY_NUMBER[facts.number] for facts in OUTCOMES.values()} == set(Outcome)
