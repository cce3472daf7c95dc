"""import_keys: what it takes over, that it does nothing by halves, and that it never prints a key."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Account
from keys.import_rows import ImportRow
from keys.importing import Fate, keys_import
from keys.models import ApiKey, Restriction
from keys.services import key_revoke
from keys.vault import decrypt, lookup_digest
from tests.factories import T0, make_key

pytestmark = pytest.mark.django_db

GOONG_KEY = "7fKq2LwP9xQeT4bVn8RmYc3ZsHd6JgUa1Xo5EiNt"
MAPBOX_KEY = "pk.eyJ1IjoiYWxpY2UiLCJhIjoiY2sifQ.abcdefGHIJKL_mno-pqr"
GOOD = f"""text,type,name,restrictions,mode,created
{GOONG_KEY},rest,Storefront,example.com 203.0.113.7,Report_only,2021-03-04T05:06:07Z
{MAPBOX_KEY},tiles,Bản đồ,,,
"""


def run(tmp_path: Path, content: str, *arguments: str, name: str = "keys.csv") -> tuple[str, int]:
    """What is printed, and the exit code."""
    path, out = tmp_path / name, StringIO()
    path.write_text(content)
    try:
        call_command("import_keys", str(path), "--account", "alice@example.com", *arguments, stdout=out, stderr=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def report(tmp_path: Path, content: str, *arguments: str, name: str = "keys.csv") -> tuple[dict[str, Any], int]:
    printed, code = run(tmp_path, content, "--json", *arguments, name=name)
    return json.loads(printed), code


def row(text: str = GOONG_KEY, **fields: Any) -> ImportRow:
    return ImportRow(**{"number": 1, "text": text, "key_type": "rest", "name": "Storefront", **fields})


def test_import_makes_the_keys_of_the_list(alice: Account, tmp_path: Path) -> None:
    found, code = report(tmp_path, GOOD)
    first, second = ApiKey.objects.order_by("created_at")
    assert (found["done"], found["imported"], found["exists"], found["refused"], code) == (True, 2, 0, 0, 0)
    assert (first.account, first.type, first.name, second.name) == (alice, "rest", "Storefront", "Bản đồ")
    assert decrypt(first.ciphertext) == GOONG_KEY
    assert (first.is_report_only, second.is_report_only) == (True, False)
    assert second.lookup_digest == lookup_digest(MAPBOX_KEY)
    assert first.created_at == datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert list(Restriction.objects.values_list("key", "text")) == [
        (first.pk, "http*://example.com/*"),
        (first.pk, "203.0.113.7"),
    ]


def test_json_is_told_by_the_name_of_the_file_or_by_the_option(alice: Account, tmp_path: Path) -> None:
    content = json.dumps([{"text": GOONG_KEY, "type": "rest", "name": "Storefront"}])
    assert report(tmp_path, content, name="keys.json")[0]["imported"] == 1
    assert report(tmp_path, content, "--format", "json", name="keys.txt")[0]["exists"] == 1


def test_list_may_be_taken_over_twice(alice: Account, tmp_path: Path) -> None:
    run(tmp_path, GOOD)
    found, code = report(tmp_path, GOOD)
    assert (found["done"], found["imported"], found["exists"], code) == (True, 0, 2, 0)
    assert ApiKey.objects.count() == 2


def test_dry_run_says_what_would_be_done_and_does_none_of_it(alice: Account, tmp_path: Path) -> None:
    found, code = report(tmp_path, GOOD, "--dry-run")
    assert (found["done"], found["dry_run"], found["imported"], code) == (False, True, 2, 0)
    assert [entry["result"] for entry in found["rows"]] == ["imported", "imported"]
    assert (ApiKey.objects.count(), Restriction.objects.count()) == (0, 0)
    assert "2 keys would be imported; 0 are there already." in run(tmp_path, GOOD, "--dry-run")[0]


def test_one_row_that_cannot_be_leaves_nothing_behind(
    alice: Account, tmp_path: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        found, code = report(tmp_path, GOOD + "another-key-of-some-length,rest,Bad,exa..mple.com,,\n")
    assert (found["done"], found["imported"], found["refused"], code) == (False, 2, 1, 1)
    assert found["rows"][2] == {
        "row": 3,
        "name": "Bad",
        "key": "anothe…ngth",
        "result": "refused",
        "reason": "This is not a valid host name or IP address.",
    }
    assert (ApiKey.objects.count(), Restriction.objects.count(), waiting) == (0, 0, [])
    printed, _ = run(tmp_path, GOOD + "short,rest,Bad,,,\n")
    assert "Nothing is imported: 1 of 3 rows cannot be." in printed


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fault": "It has 2 cells, the heading 3."}, "It has 2 cells"),
        ({"key_type": ""}, "neither rest nor tiles"),
        ({"key_type": "admin"}, "neither rest nor tiles"),
        ({"text": ""}, "16 to 200 letters"),
        ({"text": "a key with spaces"}, "16 to 200 letters"),
        ({"text": "gr_000000000000000000000000000000000000"}, "16 to 200 letters"),
        ({"name": " "}, "needs a name"),
        ({"name": "x" * 101}, "longer than 100"),
        ({"name": f"Key {GOONG_KEY}"}, "has the key itself in it"),
        ({"description": GOONG_KEY}, "has the key itself in it"),
        ({"description": "a\0b"}, "cannot be stored"),
        ({"name": "a\ud800b"}, "cannot be stored"),
        ({"restrictions": ("10.0.0.5/24",)}, "host bits"),
        ({"restrictions": tuple(f"s{n}.example.com" for n in range(201))}, "at most 200"),
        ({"mode": "loud"}, "neither enforced nor report_only"),
        ({"created_at": T0.replace(year=2030)}, "in the future"),
    ],
)
def test_row_that_cannot_be_says_why(alice: Account, fields: dict[str, Any], reason: str) -> None:
    done = keys_import(account=alice, rows=[row(**fields)], now=T0)
    [found] = done.rows
    assert (found.fate, done.is_done, ApiKey.objects.count()) == (Fate.REFUSED, False, 0)
    assert reason in found.reason
    assert GOONG_KEY not in repr(done)


def test_same_text_twice_is_refused_once(alice: Account) -> None:
    done = keys_import(account=alice, rows=[row(), row(number=2)], now=T0)
    assert [found.reason for found in done.rows] == ["", "Row 1 has the same text."]


def test_own_text_of_the_other_type_is_refused(alice: Account, charlie: Account) -> None:
    text = make_key(charlie, type="tiles").text
    [found] = keys_import(account=alice, rows=[row(text)], now=T0).rows
    assert found.reason == "The text is that of a key of the other type."


def test_key_of_another_account_is_refused_and_left_alone(alice: Account, charlie: Account) -> None:
    make_key(charlie, text=GOONG_KEY, name="Charlie's")
    [found] = keys_import(account=alice, rows=[row()], now=T0).rows
    assert found.reason == "This key text is in use already."
    assert ApiKey.objects.get().name == "Charlie's"


def test_deleted_key_is_not_brought_back_by_an_import(alice: Account) -> None:
    key_revoke(key=make_key(alice, text=GOONG_KEY).key)
    [found] = keys_import(account=alice, rows=[row()], now=T0).rows
    assert found.reason == "This key was deleted here; undo that, which is possible for 30 days."


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--dry-run",)])
def test_no_key_is_printed_or_logged(
    alice: Account, tmp_path: Path, caplog: pytest.LogCaptureFixture, arguments: tuple[str, ...]
) -> None:
    swapped = f"text,type,name\nStorefront,rest,{GOONG_KEY}\n"
    repeated = f"text,type,name\n{GOONG_KEY},rest,{GOONG_KEY}\n{MAPBOX_KEY},rest\n"
    with caplog.at_level(logging.DEBUG):
        printed = [run(tmp_path, content, *arguments)[0] for content in (GOOD, swapped, repeated)]
    for text in (GOONG_KEY, MAPBOX_KEY):
        assert text not in "".join(printed)
        assert text not in caplog.text
    assert "7fKq2L…EiNt" in printed[0]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"", (), "There is nothing in it."),
        (b"\xff\xfe", (), "is not UTF-8."),
        (b"{}", ("--format", "json"), "It is not a list of objects."),
    ],
)
def test_file_that_cannot_be_read_ends_with_2(
    alice: Account, tmp_path: Path, content: bytes, arguments: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "keys.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=message) as caught:
        call_command("import_keys", str(path), "--account", "alice@example.com", *arguments)
    assert caught.value.returncode == 2


def test_file_or_account_that_is_not_there_is_named(alice: Account, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file") as caught:
        call_command("import_keys", str(tmp_path / "none.csv"), "--account", "alice@example.com")
    assert caught.value.returncode == 2
    with pytest.raises(CommandError, match="There is no account") as unknown:
        call_command("import_keys", "-", "--account", "nobody@example.com")
    assert unknown.value.returncode == 1


def test_file_with_a_byte_order_mark_is_read(alice: Account, tmp_path: Path) -> None:
    path = tmp_path / "keys.csv"
    path.write_text(GOOD, encoding="utf-8-sig")
    call_command("import_keys", str(path), "--account", "alice@example.com", stdout=StringIO())
    assert ApiKey.objects.count() == 2
