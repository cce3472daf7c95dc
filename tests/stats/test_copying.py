"""Whatever the codec lets pass, the record table takes, and gives back as it was said."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from keys.services import CreatedKey
from stats import copying, countries
from stats.copying import RecordRows
from stats.events import EventUnreadable, UsageEvent, decode_entry, split_entry
from stats.ingest import ingest_all
from stats.models import DailyOriginUsage, UsageRecord
from stats.partitions import partitions_ensure
from tests.factories import T0, make_account, make_event, make_key
from tests.road import as_kept, push, records, store
from tests.stats.mmdb import write_country_database
from tests.stats.sums import HANOI
from tests.stats.test_events import EVENTS, wire
from tests.stats.test_rollups import undone


@pytest.fixture
def key(db: None) -> CreatedKey:
    return make_key()


@pytest.fixture
def geoip(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A database in which one network is in Viet Nam and one in France."""
    path = tmp_path / "countries.mmdb"
    write_country_database(path, {"203.0.113.0/24": "VN", "2001:db8::/32": "FR"})
    settings.GEOIP_DATABASE = str(path)
    forget_countries()
    yield path
    forget_countries()


def forget_countries() -> None:
    """Processes open the database once, and ask it once for an address."""
    countries._reader.cache_clear()
    copying._CALLERS.clear()


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, min_size=1, max_size=40))
def test_every_line_that_can_be_read_is_taken_as_it_is(db: None, events: list[UsageEvent]) -> None:
    with undone():
        entry = decode_entry(wire(*events))
        partitions_ensure({entry.at.astimezone(HANOI).date()}, zone=HANOI)

        rows = RecordRows(first_id=7)
        rows.add(entry)
        assert len(rows) == len(events)
        rows.copy()

        # PostgreSQL writes an address of IPv4 within IPv6 in another way than Python.
        kept = [(*row[:8], ip_address(row[8]), *row[9:]) for row in records()]
        assert kept == [(*row[:8], ip_address(row[8]), *row[9:]) for row in as_kept(entry.events)]
        assert set(UsageRecord.objects.values_list("id", flat=True)) == set(range(7, 7 + len(events)))


@given(data=st.data())
def test_rows_are_made_of_just_those_entries_that_can_be_read(data: st.DataObject) -> None:
    """Whatever the byte of a good entry becomes; and what is refused leaves nothing behind."""
    fields = wire(*data.draw(st.lists(EVENTS, min_size=1, max_size=3)))
    text = bytearray(fields[b"e"])
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    fields = {**fields, b"e": bytes(text)}
    rows = RecordRows(first_id=1)
    try:
        entry = decode_entry(fields)
    except EventUnreadable:
        with pytest.raises(EventUnreadable):
            rows.add(split_entry(fields))
        assert len(rows) == 0
    else:
        rows.add(split_entry(fields))
        assert len(rows) == entry.n_events == len(entry.events)


def test_ids_are_those_of_the_order_in_which_events_came(key: CreatedKey) -> None:
    """Also of two accounts, whose rows are written one account after the other."""
    other = make_key(make_account())
    events = [make_event(each) for _ in range(3) for each in (other, key)]
    push(*events, per_entry=2)

    ingest_all()

    stored = dict(UsageRecord.objects.values_list("request_id", "id"))
    assert [stored[UUID(event.request_id)] for event in events] == [1, 2, 3, 4, 5, 6]


def test_blocks_end_where_they_end(key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_BLOCK_ROWS", 3)
    events = [make_event(key) for _ in range(9)]
    push(*events, per_entry=4)

    ingest_all()

    assert records() == as_kept(events)


def test_without_a_database_no_record_has_a_country(key: CreatedKey) -> None:
    store(make_event(key))
    assert UsageRecord.objects.get().country == ""


def test_the_country_of_an_address_is_recorded_and_summed(key: CreatedKey, geoip: Path) -> None:
    ips = ["203.0.113.7", "203.0.113.9", "2001:db8::7", "198.51.100.1", "::1"]
    store(*(make_event(key, ip=ip) for ip in ips))

    known = {str(ip_address(ip)): country for ip, country in UsageRecord.objects.values_list("ip", "country")}
    assert known == dict(zip(ips, ["VN", "VN", "FR", "", ""], strict=True))
    assert set(DailyOriginUsage.objects.values_list("country", "n_requests")) == {("VN", 2), ("FR", 1), ("", 2)}


def test_a_database_that_cannot_be_read_keeps_nothing_from_being_stored(key: CreatedKey, geoip: Path) -> None:
    geoip.write_bytes(b"garbage")
    store(make_event(key, at=T0))
    assert UsageRecord.objects.get().country == ""
