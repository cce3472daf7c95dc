"""The statistics page as a person walks it, in Chromium; what the chart drew is read back from it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from stats.events import UsageEvent
from stats.outcomes import Outcome
from tests.browser import PHONE, OpenPage
from tests.factories import make_event, make_key
from tests.road import copies, store

# All that the chart has: what a person sees of it, and how it is drawn.
DRAWN = """() => {
  const chart = Chart.getChart(document.querySelector('#usage-chart canvas'))
  return {
    labels: chart.data.labels,
    series: chart.data.datasets.filter((each) => !each.isCredit).map((each) => ({
      label: each.label, values: each.data, type: each.type ?? 'bar', hidden: Boolean(each.hidden),
      color: [each.backgroundColor].flat()[0]
    })),
    creditLeft: chart.data.datasets.find((each) => each.isCredit)?.data
  }
}"""
# Whether what the page was given last is what the chart has.
IS_DRAWN = """() => {
  const given = JSON.parse(document.getElementById('usage-data').dataset.chart)
  const chart = Chart.getChart(document.querySelector('#usage-chart canvas'))
  const sets = chart?.data.datasets.filter((each) => !each.isCredit)
  const asked = document.querySelector('#filters.htmx-request, #usage.htmx-request')
  return !asked && sets && JSON.stringify(sets.map((each) => [each.data, each.type === 'line'])) ===
    JSON.stringify(given.series.map((each) => [each.values, given.lines]))
}"""
# The same numbers, of the table beneath it: a title and a value for each series.
TABLE = """() => [...document.querySelectorAll('#chart-numbers-table tbody tr')].map((row) =>
  [...row.cells].slice(1, -1).map((cell) => Math.round(Number(cell.textContent.replace(/[$,]/g, '')) * 1e6)))"""
PERIODS = ["Last hour", "24 hours", "Today", "Yesterday", "30 days", "90 days", "This month", "Last month", "7 days"]


@pytest.fixture
def keys(owner: Account) -> list[ApiKey]:
    """Two REST keys and one of the map, used now, an hour, a day and some weeks ago, from two sites."""
    shop, app, tiles = make_key(owner, name="Shop"), make_key(owner, name="App"), make_key(owner, "tiles", name="Map")
    events: list[UsageEvent] = []
    for ago in (timedelta(), timedelta(hours=1), timedelta(days=1), timedelta(days=20), timedelta(days=45)):
        at = utc_now() - ago
        for service in ("geocode", "geocode-v2", "trip", "directions"):
            events += copies(make_event(shop, service, at=at), 3)
        events += [
            make_event(shop, at=at, outcome=Outcome.RATE_LIMIT, origin="https://two.example"),
            make_event(app, at=at, outcome=Outcome.ORIGIN_NOT_ALLOWED, origin="https://two.example"),
            make_event(app, "place-detail", at=at, origin=""),
            make_event(tiles, "map-load", at=at),
        ]
    store(*sorted(events, key=lambda event: event.at))
    return [shop.key, app.key, tiles.key]


def drawn(page: Page) -> dict[str, Any]:
    page.wait_for_function(IS_DRAWN)
    found: dict[str, Any] = page.evaluate(DRAWN)
    return found


def rows(page: Page) -> Locator:
    """Those of the table of numbers, opened where it is not."""
    if page.locator("#chart-numbers").get_attribute("open") is None:
        page.locator("#chart-numbers-summary").click()
    expect(page.locator("#chart-numbers-table")).to_be_visible()
    return page.locator("#chart-numbers-table tbody tr")


def check(page: Page, *, is_money: bool = False) -> dict[str, Any]:
    """The chart has exactly the numbers of the table, and a value for every bucket."""
    chart = drawn(page)
    rows(page)
    by_bucket = [list(row) for row in zip(*(series["values"] for series in chart["series"]), strict=True)]
    shown = [[value if is_money else value // 1_000_000 for value in row] for row in page.evaluate(TABLE)]
    assert by_bucket == shown
    assert len(shown) == len(chart["labels"]) > 0
    return chart


def choose(page: Page, label: str, query: str) -> None:
    """Makes a choice and waits until its statistics are there."""
    page.get_by_role("radio", name=label, exact=True).check()
    page.wait_for_url(re.compile(query))
    expect(page.locator("#filters.htmx-request, #usage.htmx-request")).to_have_count(0)


def test_every_view_is_drawn_with_the_numbers_of_its_table(
    owner: Account, keys: list[ApiKey], open_page: OpenPage
) -> None:
    page = open_page("/statistics")
    for label in PERIODS:
        choose(page, label, "period=")
        expect(page.get_by_role("radio", name=label)).to_be_checked()
        if page.locator("#usage-chart").count():
            check(page)
    for label, measure in (("Billed units", "units"), ("Refusals", "refusals"), ("Cost", "cost")):
        choose(page, label, f"measure={measure}")
        chart = check(page, is_money=measure == "cost")
    assert chart["creditLeft"][-1] < chart["creditLeft"][0]
    choose(page, "Lines", "chart=lines")
    assert {series["type"] for series in check(page, is_money=True)["series"]} == {"line"}
    choose(page, "Bars", "period=7d&measure=cost$")
    choose(page, "Requests", "period=7d$")
    names = {
        "key": {"Shop", "App", "Map"},
        "type": {"API key", "Map tiles key"},
        "outcome": {"Allowed", "Rate limit", "Origin not allowed"},
        "origin": {"https://example.com", "https://two.example", "No origin named"},
        "country": {"Unknown"},
        "service": {"Geocode v1", "Geocode v2", "Trip v1"},
    }
    for by, some in names.items():
        page.get_by_label("Told apart by").select_option(by)
        page.wait_for_url(re.compile(f"by={by}|period=7d$"))
        expect(page.locator("#groups-title")).to_have_text(page.locator("#id_by option:checked").inner_text())
        series = check(page)["series"]
        assert {each["type"] for each in series} == {"bar"}
        assert some <= {each["label"] for each in series}, by
        assert sum(sum(each["values"]) for each in series) == 48
    page.get_by_label("Grain").select_option("hour")
    page.wait_for_url("**grain=hour**")
    expect(rows(page)).to_have_count(168)
    assert len(check(page)["labels"]) == 168


def test_one_drills_in_by_table_and_by_bar_filters_and_goes_back(
    owner: Account, keys: list[ApiKey], open_page: OpenPage
) -> None:
    page = open_page("/statistics?by=key")
    page.get_by_role("row", name=re.compile("Shop")).get_by_role("link", name="Shop").click()
    page.wait_for_url(f"**/statistics?period=7d&key={keys[0].pk}")
    expect(page.get_by_role("link", name="Remove the filter Key: Shop")).to_be_visible()
    assert sum(sum(each["values"]) for each in check(page)["series"]) == 39

    page.locator("#usage-chart").scroll_into_view_if_needed()
    place = page.evaluate("""() => {
      const chart = Chart.getChart(document.querySelector('#usage-chart canvas'))
      const { x, y } = chart.getDatasetMeta(0).data.at(-1).tooltipPosition()
      const box = chart.canvas.getBoundingClientRect()
      return { x: box.x + x, y: box.y + y + 4 }
    }""")
    page.mouse.click(place["x"], place["y"])
    page.wait_for_url("**from=*")
    expect(rows(page)).to_have_count(24)
    check(page)

    for move, n_rows in ((page.go_back, 7), (page.go_forward, 24), (page.go_back, 7)):
        with page.expect_event("load"):  # htmx keeps no pages: each is loaded again.
            move()
        expect(rows(page)).to_have_count(n_rows)
        check(page)
    assert page.url.endswith(f"/statistics?period=7d&key={keys[0].pk}")
    page.wait_for_load_state("networkidle")
    page.goto(page.url)
    check(page)

    page.locator("#filter-box-outcome summary").click()
    page.get_by_label("Rate limit").check()
    page.wait_for_url("**outcome=rate_limit**")
    expect(page.get_by_label("Rate limit")).to_be_visible()  # Its box stays open for more.
    assert [each["label"] for each in check(page)["series"]] == ["Geocode v1"]
    page.get_by_role("link", name=re.compile("Remove the filter Key")).click()
    page.wait_for_url("**/statistics?period=7d&outcome=rate_limit")
    page.get_by_role("link", name=re.compile("Remove the filter Outcome")).click()
    page.wait_for_url("**/statistics?period=7d")
    assert sum(sum(each["values"]) for each in check(page)["series"]) == 48


def test_page_stays_fresh_and_as_it_was_left(owner: Account, keys: list[ApiKey], open_page: OpenPage) -> None:
    page = open_page("/statistics?period=today&by=key")
    n_shown = page.locator("#usage .stat dd").first
    before = int(n_shown.inner_text().split()[0])
    page.get_by_role("button", name="App").click()
    page.get_by_text("The chart’s numbers as a table").click()
    chart = drawn(page)
    assert {each["label"]: each["hidden"] for each in chart["series"]} == {"Shop": False, "App": True, "Map": False}

    store(make_event(make_key(owner, name="New"), at=utc_now()))
    expect(n_shown).to_have_text(re.compile(f"^{before + 1}\\b"))
    chart = check(page)
    assert {each["label"]: each["hidden"] for each in chart["series"]} == {
        "Shop": False,
        "App": True,
        "Map": False,
        "New": False,
    }
    expect(page.get_by_role("button", name="App")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#chart-numbers-table")).to_be_visible()
    expect(page.get_by_text(re.compile("Newest number (just now|.* ago)"))).to_be_visible()

    light = chart["series"][0]["color"]
    page.evaluate(
        "document.documentElement.dataset.bsTheme = 'dark'; document.dispatchEvent(new Event('theme:change'))"
    )
    assert drawn(page)["series"][0]["color"] != light


def test_phone_shows_every_view_within_its_width(owner: Account, keys: list[ApiKey], open_page: OpenPage) -> None:
    page = open_page("/statistics", PHONE)
    for query in (
        "",
        "period=90d&by=key&measure=cost",
        "period=1h&chart=lines",
        "by=origin&from=2026-01-01&to=2026-12-31",
    ):
        page.goto(f"{page.url.split('?')[0]}?{query}")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], query
    page.locator("#filter-box-key summary").click()
    panel = page.locator("#filter-box-key .filter-panel").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= PHONE["width"]
