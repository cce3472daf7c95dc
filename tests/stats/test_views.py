from __future__ import annotations

import html
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from keys.services import CreatedKey, key_revoke
from stats.outcomes import Outcome
from tests.factories import T0, make_event, make_key
from tests.stats.plans import no_scan_of_big_tables
from tests.stats.usage import push_events

URL = "/statistics"
HTMX = {"HX-Request": "true"}
NOON = T0 + timedelta(hours=2)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("stats.views.utc_now", lambda: NOON)
    return NOON


@pytest.fixture
def key(alice: Account) -> CreatedKey:
    return make_key(alice, name="Web shop")


def page_of(client: Client, query: str = "", status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = client.get(f"{URL}?{query}", headers=headers)
    assert response.status_code == status
    return html.unescape(response.content.decode())


def chart_of(client: Client, query: str = "") -> dict[str, Any]:
    match = re.search(r'data-chart="([^"]*)"', client.get(f"{URL}?{query}").content.decode())
    assert match is not None
    chart: dict[str, Any] = json.loads(html.unescape(match[1]))
    return chart


def figures_of(page: str) -> list[str]:
    return [text.strip() for text in re.findall(r"<dd>([^<]*)<", page)]


def state_of(page: str) -> str:
    match = re.search(r'"seen": "([^"]+)"', page)
    assert match is not None
    return match[1]


def test_its_url_is_statistics() -> None:
    assert reverse("stats:statistics") == URL


def test_page_shows_totals_outcomes_and_services(alice_client: Client, key: CreatedKey) -> None:
    push_events(
        [
            make_event(key),
            make_event(key, "geocode-v2"),
            make_event(key, "geocode-v2"),
            make_event(key, outcome=Outcome.ORIGIN_NOT_ALLOWED),
        ]
    )
    page = page_of(alice_client)
    assert figures_of(page) == ["4", "3", "1", "$0.015", "4"]
    assert "25.0% of the requests" in page
    assert "403 ORIGIN_NOT_ALLOWED" in page and "75.0%" in page
    assert "Asia/Ho_Chi_Minh" in page
    assert "17 November 2026 – 23 November 2026" in page
    assert 'href="/requests?outcome=origin_not_allowed"' in page


def test_hours_are_named_where_days_are_cut(alice_client: Client, key: CreatedKey) -> None:
    assert "22 November 2026, 13:00 – 23 November 2026, 13:00, Asia/Ho_Chi_Minh" in page_of(alice_client, "period=24h")
    assert "23 November 2026, Asia/Ho_Chi_Minh" in page_of(alice_client, "period=today")


def test_busiest_hour_of_many_days_comes_after_the_page(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key), make_event(key), make_event(key, at=T0 - timedelta(days=60))])
    assert 'hx-get="/statistics/busiest?period=90d"' in page_of(alice_client, "period=90d")
    part = alice_client.get("/statistics/busiest?period=90d").content.decode()
    assert figures_of(part) == ["2"]
    assert alice_client.get("/statistics/busiest?period=never").status_code == 422


def test_chart_tells_versions_apart_and_has_every_day(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key), make_event(key, "geocode-v2", at=T0 - timedelta(days=6))])
    chart = chart_of(alice_client)
    assert chart["labels"] == ["17 Nov", "18 Nov", "19 Nov", "20 Nov", "21 Nov", "22 Nov", "23 Nov"]
    assert {series["label"]: series["values"] for series in chart["series"]} == {
        "Geocode v1": [0, 0, 0, 0, 0, 0, 1],
        "Geocode v2": [1, 0, 0, 0, 0, 0, 0],
    }


def test_today_is_shown_by_hour(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key)])
    chart = chart_of(alice_client, "period=today")
    assert chart["labels"] == [f"{hour:02}:00" for hour in range(24)]
    assert chart["series"][0]["values"] == [0] * 10 + [1] + [0] * 13


@pytest.mark.parametrize(
    ("query", "n_requests"),
    [
        ("period=today", 1),
        ("period=7d", 2),
        ("period=30d", 3),
        ("period=this-month", 2),
        ("period=last-month", 2),
        ("period=custom&from=2026-10-01&to=2026-11-23", 4),
        ("from=2026-10-01&to=2026-10-31", 2),
        ("period=custom", 2),
    ],
)
def test_periods_select_their_days(alice_client: Client, key: CreatedKey, query: str, n_requests: int) -> None:
    push_events([make_event(key, at=T0 - timedelta(days=n)) for n in (0, 6, 28, 53)])
    assert figures_of(page_of(alice_client, query))[0] == str(n_requests)


def test_chart_s_numbers_are_there_as_a_table_when_asked_for(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key)] * 2)
    assert 'hx-get="/statistics?period=7d&numbers=1"' in page_of(alice_client)
    page = page_of(alice_client, "numbers=1")
    row = '">Mon 23 Nov 2026</a></th><td class="num">2</td><td class="num">2</td>'
    assert '<th scope="row"><a href="/statistics?from=2026-11-23&to=2026-11-23' + row in page


def test_key_filter_keeps_deleted_keys_and_marks_them(alice: Account, alice_client: Client, key: CreatedKey) -> None:
    old = make_key(alice, name="Old app")
    push_events([make_event(key), make_event(old), make_event(old)])
    key_revoke(key=old.key)
    page = page_of(alice_client, f"key={old.key.pk}")
    assert figures_of(page)[0] == "2"
    assert f"Old app ({old.key.masked_text}) – deleted" in page
    assert re.search(rf'name="key" value="{old.key.pk}" checked', page)


def test_htmx_gets_the_part_that_changes_and_caches_are_told(alice_client: Client, key: CreatedKey) -> None:
    whole, part = (alice_client.get(URL, headers=headers) for headers in ({}, HTMX))
    assert b"<!doctype html>" in whole.content
    assert part.content.strip().startswith(b"<div") or b"<!doctype" not in part.content
    assert b'id="statistics"' in part.content and b'id="usage"' in part.content
    assert all("HX-Request" in response["Vary"] for response in (whole, part))


def test_a_running_period_asks_for_itself(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key)])
    page = page_of(alice_client, f"period=30d&key={key.key.pk}")
    assert 'hx-trigger="every 1s"' in page
    assert f'hx-get="/statistics?period=30d&key={key.key.pk}"' in page
    assert "Newest number" in page


def test_a_period_that_is_over_does_not(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key, at=T0 - timedelta(days=40))])
    assert "every 1s" not in page_of(alice_client, "period=last-month")


def test_nothing_new_is_no_content_and_something_new_is_sent(alice_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key)])
    state = state_of(page_of(alice_client))
    response = alice_client.get(f"{URL}?seen={state}", headers=HTMX)
    assert (response.status_code, response.content) == (204, b"")
    push_events([make_event(key)])
    page = page_of(alice_client, f"seen={state}", headers=HTMX)
    assert figures_of(page)[0] == "2"
    assert state_of(page) != state


def test_a_new_day_is_something_new(alice_client: Client, key: CreatedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    push_events([make_event(key)])
    state = state_of(page_of(alice_client))
    monkeypatch.setattr("stats.views.utc_now", lambda: NOON + timedelta(days=1))
    assert "18 November 2026 – 24 November 2026" in page_of(alice_client, f"seen={state}", headers=HTMX)


def test_without_keys_the_next_step_is_a_key(alice_client: Client) -> None:
    page = page_of(alice_client)
    assert "Create an API key" in page and 'href="/keys"' in page
    assert "data-chart" not in page and 'hx-trigger="every 1s"' in page


def test_a_key_without_usage_says_so(alice_client: Client, key: CreatedKey) -> None:
    assert "No requests in this period" in page_of(alice_client)
    assert "Nothing fits these filters in this period" in page_of(alice_client, f"key={key.key.pk}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("period=tomorrow", "There is no such period"),
        ("period=custom&from=2026-11-20&to=2026-11-01", "20 Nov 2026, is after the last one, 1 Nov 2026"),
        ("period=custom&from=2026-12-24&to=2026-12-25", "24 Dec 2026 has not begun yet"),
        ("period=custom&from=0001-01-01&to=0001-01-02", "2 Jan 0001 is too long ago"),
        ("period=custom&from=banana&to=2026-11-01", "“banana” is not a day"),
        ("period=custom&from=2026-02-30&to=2026-11-01", "“2026-02-30” is not a day"),
        ("period=custom&from=0000-00-00&to=99999-01-01", "“99999-01-01” is not a day"),
        ("period=custom&from=2026-11-01&to=", "Name the last day"),
        ("to=2026-11-01", "Name the first day"),
        ("key=%27%3B+drop", "“'; drop” is none of your keys"),
        ("key=-1", "“-1” is none of your keys"),
        ("key=%00", "is none of your keys"),
        ("by=weather", "Usage is not told apart by that"),
        ("measure=joy", "That is not measured"),
        ("chart=pie", "There is no such chart"),
        ("grain=second", "There is no such grain"),
        ("type=other", "Key type: there is no “other”"),
        ("service=%3Cb%3E", "Service: there is no “<b>”"),
        ("outcome=fine", "Outcome: there is no “fine”"),
        ("origin=" + "x" * 300, "Origin: there is no “xxx"),
        ("country=vietnam", "Country: there is no “vietnam”"),
        ("&".join(f"outcome=x{n}" for n in range(21)), "No more than 20 values"),
        ("key=" + "x" * 5_000, "x…” is none of your keys"),
        ("key=%C2%B2", "“²” is none of your keys"),
    ],
)
def test_bad_input_is_named_in_place(alice_client: Client, key: CreatedKey, query: str, message: str) -> None:
    page = page_of(alice_client, query, status=422)
    assert message in page
    assert 'id="filters"' in page and "data-chart" not in page and "every 1s" not in page


def test_bad_input_keeps_the_rest_of_the_form(alice_client: Client, key: CreatedKey) -> None:
    page = page_of(
        alice_client, f"period=custom&from=2026-11-20&to=2026-11-01&key={key.key.pk}", status=422, headers=HTMX
    )
    assert 'value="2026-11-20"' in page and 'value="2026-11-01"' in page
    assert re.search(rf'name="key" value="{key.key.pk}" checked', page)


def test_days_are_ignored_where_the_period_names_its_own(alice_client: Client, key: CreatedKey) -> None:
    assert "17 November 2026" in page_of(alice_client, "period=7d&from=banana&to=")


def test_a_period_of_centuries_is_cut_and_says_so(alice_client: Client, key: CreatedKey) -> None:
    page = page_of(alice_client, "from=1626-01-01&to=9999-12-31")
    assert "A period has 366 days at the most" in page
    assert 'value="1626-01-01"' in page


def test_other_people_s_keys_and_keys_that_are_none_look_alike(
    charlie: Account, alice_client: Client, key: CreatedKey
) -> None:
    theirs = make_key(charlie)
    for number in (theirs.key.pk, 10**9, 10**40):
        page_of(alice_client, f"key={number}", status=404)


def test_strangers_see_nothing_of_others(charlie_client: Client, key: CreatedKey) -> None:
    push_events([make_event(key)])
    page = page_of(charlie_client)
    assert "No requests yet" in page and "Web shop" not in page


def test_anonymous_goes_to_sign_in(client: Client, db: None) -> None:
    response = client.get(URL)
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_it_only_reads(alice_client: Client, method: str) -> None:
    assert getattr(alice_client, method)(URL).status_code == 405


def test_key_names_are_escaped(alice: Account, alice_client: Client) -> None:
    make_key(alice, name="<script>alert(1)</script>")
    assert b"<script>alert" not in alice_client.get(URL).content


@pytest.mark.parametrize(("headers", "n_queries"), [({}, 10), (HTMX, 9)])
def test_query_count_does_not_grow(
    alice: Account,
    alice_client: Client,
    django_assert_num_queries: DjangoAssertNumQueries,
    headers: dict[str, str],
    n_queries: int,
) -> None:
    # Session, user, account; rollup, services, keys; the largest, their sums; outcomes, before, busiest; a page has
    # a bell.
    slugs = ("geocode", "trip", "directions-v2")
    push_events([make_event(make_key(alice), slug, at=T0 - timedelta(days=n)) for n, slug in enumerate(slugs)])
    with django_assert_num_queries(n_queries):
        alice_client.get(URL, headers=headers)


def test_asking_for_news_takes_one_query_beyond_the_user_s(
    alice_client: Client, key: CreatedKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    push_events([make_event(key)])
    state = state_of(page_of(alice_client))
    with django_assert_num_queries(4):
        alice_client.get(f"{URL}?seen={state}", headers=HTMX)


@pytest.mark.parametrize(
    "query",
    [
        "period=90d&by=key",
        "period=90d&by=service&measure=cost",
        "period=1h",
        "period=24h&by=outcome&measure=refusals",
        "period=90d&by=origin&type=rest&outcome=allowed",
    ],
)
def test_no_query_of_the_page_scans_a_big_table(alice: Account, alice_client: Client, query: str) -> None:
    push_events([make_event(make_key(alice), at=T0)])
    with no_scan_of_big_tables():
        assert alice_client.get(f"/statistics?{query}").status_code == 200


def test_address_says_only_what_is_unusual(alice_client: Client) -> None:
    form = "period=30d&measure=requests&by=key&grain=day&chart=bars"
    answer = alice_client.get(f"/statistics?{form}", headers={**HTMX, "HX-Target": "statistics"})
    assert answer["HX-Push-Url"] == "/statistics?period=30d&by=key"
    for part in ("usage", "chart-numbers"):
        answer = alice_client.get(f"/statistics?{form}", headers={**HTMX, "HX-Target": part})
        assert "HX-Push-Url" not in answer
