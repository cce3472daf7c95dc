from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.import_rows import ImportRow, ImportUnreadable, rows_of_csv, rows_of_json

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEY = "7fKq2LwP9xQeT4bVn8RmYc3ZsHd6JgUa1Xo5EiNt"

CSV = f"""text, Type ,name,restrictions,created
{KEY},REST,"Cửa hàng, số 1","example.com
203.0.113.7  *.example.com",2021-03-04T05:06:07Z

other-key-of-16-characters,tiles,Map,,
"""
JSON = f'''[
  {{"text": "{KEY}", "type": "rest", "name": "Cửa hàng, số 1",
    "restrictions": ["example.com", "203.0.113.7", "*.example.com"], "created": "2021-03-04T05:06:07Z"}},
  {{"text": "other-key-of-16-characters", "type": "tiles", "name": "Map", "restrictions": null}}
]'''
ROWS = [
    ImportRow(
        1,
        KEY,
        "rest",
        "Cửa hàng, số 1",
        restrictions=("example.com", "203.0.113.7", "*.example.com"),
        created_at=datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC),
    ),
    ImportRow(2, "other-key-of-16-characters", "tiles", "Map"),
]


def test_csv_and_json_say_the_same() -> None:
    assert rows_of_csv(CSV, zone=ZONE) == rows_of_json(JSON, zone=ZONE) == ROWS


@pytest.mark.parametrize(
    ("created", "instant"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 17, tzinfo=UTC)),
        ("2026-01-31 09:00", datetime(2026, 1, 31, 2, tzinfo=UTC)),
        ("2026-01-31T09:00:00+02:00", datetime(2026, 1, 31, 9, tzinfo=timezone(timedelta(hours=2)))),
        ("", None),
    ],
)
def test_created_is_in_the_installation_s_zone_unless_it_says_its_own(created: str, instant: datetime | None) -> None:
    [row] = rows_of_csv(f"text,type,name,created\na,rest,b,{created}", zone=ZONE)
    assert (row.created_at, row.fault) == (instant, "")


@pytest.mark.parametrize("created", ["yesterday", "31.1.2026", "2026-13-01", "0001-01-01", "1612345678"])
def test_created_that_is_no_instant_is_a_fault_of_its_row(created: str) -> None:
    first, second = rows_of_csv(f"text,type,name,created\na,rest,b,{created}\nc,rest,d,", zone=ZONE)
    assert first == ImportRow(1, fault="“created” is no instant such as 2026-01-31T09:00:00+07:00.")
    assert second.fault == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "There is nothing in it."),
        ("\n \n", "There is nothing in it."),
        ("text,name\n", "There is no column “type”."),
        (f"{KEY},rest,Storefront\n", "Column 1 has no heading that is known"),
        ("text,type,name,text\n", "Column 4 has no heading that is known"),
        ("text,type,name,plan\n", "Column 4 has no heading that is known"),
        (f'text,type,name\n"{KEY}" x,rest,b', "Line 2 is not CSV."),
        (f'text,type,name\n"{KEY},rest,b', "Line 2 is not CSV."),
    ],
)
def test_csv_that_cannot_be_read_is_refused_without_being_quoted(content: str, message: str) -> None:
    with pytest.raises(ImportUnreadable, match=message) as caught:
        rows_of_csv(content, zone=ZONE)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "Line 1 is not JSON."), (f'[\n"{KEY}', "Line 2 is not JSON."), (f'{{"text": "{KEY}"}}', "not a list")],
)
def test_json_that_cannot_be_read_is_refused_without_being_quoted(content: str, message: str) -> None:
    with pytest.raises(ImportUnreadable, match=message) as caught:
        rows_of_json(content, zone=ZONE)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (f"{KEY},rest", "It has 2 cells, the heading 3."),
        (f"{KEY},rest,Storefront,more", "It has 4 cells, the heading 3."),
    ],
)
def test_row_of_another_length_is_a_fault_of_its_own(row: str, fault: str) -> None:
    first, second = rows_of_csv(f"text,type,name\n{row}\n{KEY},rest,Good", zone=ZONE)
    assert (first, second.fault, second.number) == (ImportRow(1, fault=fault), "", 2)


@pytest.mark.parametrize(
    "item",
    ["1", "null", '"text"', '{"text": 1}', '{"secret": "x"}', '{"restrictions": {}}', '{"restrictions": [1]}'],
)
def test_json_item_of_another_shape_is_a_fault_of_its_own(item: str) -> None:
    first, second = rows_of_json(f'[{item}, {{"text": "{KEY}"}}]', zone=ZONE)
    assert first.fault and not first.text
    assert (second.fault, second.text) == ("", KEY)


def test_text_of_a_key_is_not_in_what_a_row_prints() -> None:
    assert KEY not in repr(ROWS[0])


@given(st.text(), st.sampled_from([rows_of_csv, rows_of_json]))
def test_any_content_is_read_or_refused_in_words(content: str, read: object) -> None:
    try:
        rows = read(content, zone=ZONE)  # type: ignore[operator]
    except ImportUnreadable as error:
        assert str(error).endswith((".", "once."))
        return
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
