"""The request log and its filters, as a page and as a plan of the database."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account
from keys.models import Service
from keys.services import CreatedKey, key_revoke
from stats import request_log as log
from stats.log_query import LogQuery
from stats.models import UsageRecord
from stats.outcomes import Outcome
from stats.request_log import log_page, record_found
from tests.factories import T0, make_event, make_key
from tests.road import copies, store

URL = "/requests"
NOON = T0 + timedelta(hours=2)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("stats.request_views.utc_now", lambda: NOON)
    return NOON


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="Web shop")


def ids(records: Iterable[UsageRecord]) -> list[UUID]:
    return [record.request_id for record in records]


def shown(client: Client, **query: str | int) -> list[tuple[str, str]]:
    """Outcome and origin of the page's rows."""
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return [(row.outcome.value, row.record.origin) for row in response.context["rows"]]


def test_log_shows_all_that_a_record_holds(alice: Account, alice_client: Client, key: CreatedKey) -> None:
    event = make_event(key, origin="https://shop.example.com")
    store(event)
    page = html.unescape(alice_client.get(URL).content.decode())
    for text in ("23 Nov, 10:00:00", "Allowed", "Geocode v1", "Web shop", "https://shop.example.com", "203.0.113.x"):
        assert text in page
    assert "$0.005" in page and event.request_id[-12:] in page
    assert f'href="/requests/{event.request_id}"' in page
    assert "kept for 35 days" in page and "Asia/Ho_Chi_Minh" in page
    assert "203.0.113.7" not in page


def test_addresses_are_whole_where_the_installation_shows_them_so(
    alice_client: Client, key: CreatedKey, settings: Settings
) -> None:
    settings.SHOW_WHOLE_ADDRESSES = True
    store(make_event(key))
    assertContains(alice_client.get(URL), "203.0.113.7")


def test_log_is_one_account_s(alice_client: Client, charlie: Account, key: CreatedKey) -> None:
    theirs = make_key(charlie)
    store(make_event(theirs))
    assert shown(alice_client) == []
    assert alice_client.get(URL, {"key": theirs.key.pk}).status_code == 404


def test_filters_combine(alice: Account, alice_client: Client, key: CreatedKey) -> None:
    tiles, deleted = make_key(alice, "tiles"), make_key(alice)
    store(
        make_event(key, origin="https://one.test"),
        make_event(key, "trip", origin="https://two.test", outcome=Outcome.RATE_LIMIT),
        make_event(key, origin="https://three.test", outcome=Outcome.ORIGIN_NOT_ALLOWED),
        make_event(key, origin="", outcome=Outcome.SERVICE_UNKNOWN, service_id=0),
        make_event(tiles, "map-load", origin="https://four.test", at=T0 - timedelta(days=3)),
        make_event(deleted, origin="https://five.test", at=T0 - timedelta(minutes=1)),
    )
    key_revoke(key=deleted.key)

    def origins(**query: str | int) -> set[str]:
        return {origin for _, origin in shown(alice_client, **query)}

    assert len(shown(alice_client)) == 6
    assert origins(key=key.key.pk) == {"https://one.test", "https://two.test", "https://three.test", ""}
    assert origins(key=deleted.key.pk) == {"https://five.test"}
    assert origins(type="tiles") == {"https://four.test"}
    assert origins(service="trip") == {"https://two.test"}
    assert origins(service="none") == origins(origin="none") == {""}
    assert origins(outcome="refused") == {"https://two.test", "https://three.test", ""}
    assert origins(outcome="rate_limit") == {"https://two.test"}
    assert origins(origin="T") == origins() - {""}
    assert origins(origin="%") == set()
    assert origins(outcome="refused", service="geocode", origin="three") == {"https://three.test"}
    assert origins(outcome="allowed", type="rest", period="24h") == {"https://one.test", "https://five.test"}
    assert origins(period="custom", to="2026-11-22T00:00") == {"https://four.test"}
    assert origins(**{"from": "2026-11-23T10:00"}) == origins() - {"https://four.test", "https://five.test"}
    assert origins(period="1h") == set()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"outcome": "moon"}, "moon is not one of"),
        ({"service": "moon"}, "There is no such service."),
        ({"from": "yesterday"}, "Write a day and a time"),
        ({"from": "0001-01-01T00:00"}, "There were no requests then."),
        ({"from": "2026-11-23T10:00", "to": "2026-11-23T10:00"}, "This is not after the beginning."),
        ({"origin": "a\x00b"}, "Null characters"),
        ({"origin": "a" * 256}, "at most 255"),
    ],
)
def test_bad_filters_are_told_and_kept(alice_client: Client, query: dict[str, str], said: str) -> None:
    response = alice_client.get(URL, query)
    assertContains(response, said, status_code=422)
    assert response.context["rows"] == []


@pytest.mark.parametrize("cursor", ["x", "1.2.3", "-1.5", "9" * 19 + ".1", f"1.{2**63}", "٣.٣"])
def test_cursor_that_is_none_is_left_out(alice_client: Client, key: CreatedKey, cursor: str) -> None:
    store(make_event(key))
    assert len(shown(alice_client, before=cursor)) == len(shown(alice_client, after=cursor)) == 1


def test_pages_lead_to_the_oldest_and_back_and_miss_nothing(alice_client: Client, key: CreatedKey) -> None:
    at_once = copies(make_event(key), 30)  # Of one microsecond: told apart by their numbers only.
    later = copies(make_event(key, at=T0 + timedelta(seconds=1)), 95, apart=timedelta(seconds=10))
    store(*at_once, *later)
    pages, query = [], ""
    while True:
        response = alice_client.get(f"{URL}?{query}")
        pages.append(ids(row.record for row in response.context["rows"]))
        if len(pages) == 1:
            store(make_event(key, at=NOON))  # What comes meanwhile moves nothing.
        query = response.context["older"]
        if not query:
            break
    assert [len(page) for page in pages] == [50, 50, 25]
    assert len({each for page in pages for each in page}) == 125
    back = alice_client.get(f"{URL}?{response.context['newer']}")
    assert ids(row.record for row in back.context["rows"]) == pages[1]
    again = alice_client.get(f"{URL}?{back.context['newer']}")
    assert ids(row.record for row in again.context["rows"]) == pages[0]
    newest = alice_client.get(f"{URL}?{again.context['newer']}").context
    assert newest["rows"][0].record.at == NOON and len(newest["rows"]) == 50
    assert newest["newer"] == ""


def test_pages_keep_the_filters_in_their_links(alice_client: Client, key: CreatedKey) -> None:
    store(*copies(make_event(key, origin="https://a.test"), 51), make_event(key, origin="https://b.test"))
    response = alice_client.get(URL, {"origin": "a.test", "outcome": "allowed"}, headers=HTMX)
    assert response["HX-Push-Url"] == "/requests?outcome=allowed&origin=a.test"
    assert "<html" not in response.content.decode()
    match = re.search(r'rel="next" href="([^"]+)"', response.content.decode())
    assert match is not None
    older = html.unescape(match[1])
    assert older.startswith("/requests?outcome=allowed&origin=a.test&before=")
    assert len(alice_client.get(older).context["rows"]) == 1


def test_empty_log_says_what_to_do(alice_client: Client, key: CreatedKey) -> None:
    assertContains(alice_client.get(URL), "No requests yet")
    store(make_event(key))
    assertContains(alice_client.get(URL, {"outcome": "refused"}), "No request like that")


def test_look_for_what_hardly_fits_is_bounded_and_can_go_on(
    alice: Account, alice_client: Client, key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "STEP_RECORDS", 5)
    monkeypatch.setattr(log, "MAX_STEPS", 2)
    store(
        make_event(key, at=T0 - timedelta(days=2), origin="https://rare.test"),
        *copies(make_event(key, at=T0 - timedelta(days=1)), 23, apart=timedelta(hours=1)),
    )
    response = alice_client.get(URL, {"origin": "rare"})
    assert response.context["rows"] == []
    assertContains(response, "Looked back to 22 November 2026, 23:00 so far.")
    n_looks = 1
    while further := response.context["further"]:
        response = alice_client.get(f"{URL}?{further}")
        n_looks += 1
    assert ids(row.record for row in response.context["rows"]) == ids(
        UsageRecord.objects.filter(origin__contains="rare")
    )
    assert n_looks == 3


def test_sums_lead_past_the_hours_without_a_record_that_fits(
    alice: Account, key: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "STEP_RECORDS", 5)
    monkeypatch.setattr(log, "MAX_STEPS", 3)
    rare = make_event(key, at=T0 - timedelta(days=9), outcome=Outcome.KEY_TYPE)
    store(rare, *copies(make_event(key, at=T0 - timedelta(days=8)), 180, apart=timedelta(hours=1)))
    page = log_page(account=alice, query=LogQuery(outcomes=(6,)), now=NOON)
    assert [str(each) for each in ids(page.records)] == [rare.request_id]
    assert page.looked_back_to is None
    assert log_page(account=alice, query=LogQuery(outcomes=(7,)), now=NOON).looked_back_to is None


def test_what_is_beyond_the_retention_is_not_shown(alice: Account, alice_client: Client, key: CreatedKey) -> None:
    store(make_event(key, at=T0 - timedelta(days=36)), make_event(key, at=T0 - timedelta(days=35)))
    assert len(shown(alice_client)) == 1


def test_record_is_found_by_its_id_whatever_the_clocks_say(alice: Account, charlie: Account, key: CreatedKey) -> None:
    for apart in (timedelta(), timedelta(seconds=30), timedelta(minutes=-9)):
        event = make_event(key, at=T0 + apart, request_id=make_event(key).request_id)
        store(event)
        found = record_found(account=alice, request_id=UUID(event.request_id))
        assert found is not None and found.at == event.at
        assert record_found(account=charlie, request_id=UUID(event.request_id)) is None


@pytest.mark.parametrize(
    "query", [{}, {"outcome": "refused"}, {"key": "first", "origin": "example"}, {"type": "rest", "service": "trip"}]
)
def test_query_count_does_not_grow(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, query: dict[str, str]
) -> None:
    keys = [make_key(alice) for _ in range(3)]
    query = {name: str(keys[0].key.pk) if value == "first" else value for name, value in query.items()}
    slugs = ("geocode", "trip", "directions-v2")
    for n in (1, 4):
        store(*(make_event(key, slug, outcome=Outcome.RATE_LIMIT) for key in keys for slug in slugs * n))
        # Session, user, account; keys, services, records; where filtered, how far the look came; notices.
        with django_assert_num_queries(8 if query else 7):
            alice_client.get(URL, query)


def plans(client: Client, **query: str) -> str:
    """The plans of all that the page asks of the records."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(URL, query).status_code == 200
    of_records = [each["sql"] for each in asked if "stats_usagerecord" in each["sql"]]
    assert of_records
    with connection.cursor() as cursor:
        found = []
        for sql in of_records:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            found.append(json.dumps(cursor.fetchone()[0]))
    return "\n".join(found)


@pytest.fixture
def many_records(alice: Account, key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty thousand in three days, half of them the account's; a step examines a tenth of what it usually does.

    So the proportions are those of some hundred thousand a day, with which the planner would rather not sort.
    """
    monkeypatch.setattr(log, "STEP_RECORDS", log.STEP_RECORDS // 10)
    store(*(make_event(key, at=T0 - timedelta(days=n)) for n in range(4)))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO stats_usagerecord
                (id, account_id, key_id, service_id, outcome, at, units, cost_micro_usd, ip, origin, request_id)
            SELECT 1000 + n, %s + n %% 2, %s, %s, n %% 9, %s - n * interval '4 seconds', 1, 5000, '203.0.113.7',
                   'https://example.com', gen_random_uuid()
            FROM generate_series(1, 60000) AS n
            """,
            [alice.pk, key.key.pk, Service.objects.get(slug="geocode").pk, T0],
        )
        cursor.execute("ANALYZE stats_usagerecord")


@pytest.mark.usefixtures("many_records")
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"outcome": "refused"},
        {"outcome": "key_type", "service": "trip"},
        {"type": "tiles"},
        {"origin": "nothing"},
        {"period": "24h", "origin": "example"},
        {"before": "1795402800000000.1500"},
        {"after": "1795302800000000.1500", "outcome": "allowed"},
    ],
)
def test_no_record_table_is_read_through_or_sorted(alice_client: Client, query: dict[str, str]) -> None:
    plan = plans(alice_client, **query)
    assert "Index Scan" in plan
    assert re.findall(r'"Seq Scan"[^}]*"Relation Name": "(stats_\w+)"', plan) == []
    assert '"Sort"' not in plan and "Bitmap" not in plan


@pytest.mark.usefixtures("many_records")
def test_id_is_looked_up_by_its_time(alice_client: Client, key: CreatedKey) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert alice_client.get(f"{URL}/{make_event(key).request_id}").status_code == 404
    of_records = [each["sql"] for each in asked if "stats_usagerecord" in each["sql"]]
    assert len(of_records) == 3
    with connection.cursor() as cursor:
        for sql in of_records:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            plan = json.dumps(cursor.fetchone()[0])
            assert "Index" in plan and "Seq Scan" not in plan
            assert len(set(re.findall(r"stats_usagerecord_\d{8}", plan))) <= 1


def test_key_names_are_escaped(alice: Account, alice_client: Client) -> None:
    store(make_event(make_key(alice, name="<script>alert(1)</script>")))
    assertNotContains(alice_client.get(URL), "<script>alert")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_log_only_reads(alice_client: Client, method: str) -> None:
    assert getattr(alice_client, method)(URL).status_code == 405
