"""The key page as a person walks it, in Chromium: by mouse and by keyboard, wide and on a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from stats.ingest import ingest_all
from stats.outcomes import Outcome
from tests.browser import PHONE, OpenPage, dialog
from tests.factories import make_event, make_key
from tests.processes import GateProcess
from tests.road import store


def entries(page: Page) -> list[str]:
    return [box.input_value() for box in page.locator("#entries input").all()]


def paste(page: Page, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+V")


def test_list_is_searched_filtered_and_paged_and_its_address_keeps_it(owner: Account, open_page: OpenPage) -> None:
    for number in range(60):
        make_key(owner, name=f"Shop {number:02}")
    make_key(owner, name="Map", type="tiles")
    page = open_page()
    rows = page.locator(".keys-table tbody tr")

    page.get_by_label("Type").select_option("tiles")
    expect(rows).to_have_count(1)
    page.wait_for_url("**/keys?type=tiles")
    page.get_by_label("Type").select_option("")
    page.get_by_label("Search your keys").fill("shop")
    page.wait_for_url("**/keys?q=shop")
    page.get_by_label("Order").select_option("name")
    page.wait_for_url("**/keys?q=shop&sort=name")
    expect(rows.first).to_contain_text("Shop 00")
    expect(rows).to_have_count(50)

    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/keys?q=shop&sort=name&page=2")
    expect(rows).to_have_count(10)
    page.reload()
    expect(rows).to_have_count(10)
    expect(page.get_by_label("Search your keys")).to_have_value("shop")
    page.go_back()
    expect(rows).to_have_count(50)
    expect(page.get_by_label("Order")).to_have_value("name")

    page.get_by_label("Search your keys").fill("nothing like it")
    expect(page.get_by_text("No key like that")).to_be_visible()


def test_row_shows_the_key_its_last_use_and_today_against_the_limit(owner: Account, open_page: OpenPage) -> None:
    created = make_key(owner, name="Storefront")
    store(
        *(make_event(created, at=utc_now(), origin="https://shop.example.com") for _ in range(3)),
        make_event(created, at=utc_now(), outcome=Outcome.ORIGIN_NOT_ALLOWED, origin="https://evil.example.org"),
    )
    page = open_page()
    row = page.get_by_role("row", name=re.compile("Storefront"))
    expect(row.get_by_text("3 of 1,000")).to_be_visible()
    expect(row.get_by_role("progressbar", name="Requests today")).to_have_attribute("value", "3")
    expect(row.get_by_text("https://shop.example.com")).to_be_visible()
    expect(row.get_by_text(created.text)).to_have_count(0)
    row.get_by_role("button", name="Show the key “Storefront”").click()
    expect(row.get_by_text(created.text)).to_be_visible()
    row.get_by_role("button", name="Copy the key “Storefront”").click()
    expect(row.locator(".is-copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == created.text


def test_pasted_list_is_corrected_in_its_place_and_nothing_typed_is_lost(owner: Account, open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Create your first key").click()
    page.get_by_label("API Key Name").fill("Storefront")
    page.get_by_role("tab", name="Restrictions").click()
    page.locator("#entries input").first.focus()
    paste(page, "http*://example.com/*\n\nbad host\n203.0.113.0/24\n")
    expect(page.locator("#entries input")).to_have_count(3)
    expect(page.locator("#entries").get_by_text("A pattern cannot contain spaces.")).to_be_visible()
    page.get_by_text("Services, limits and expiry").click()
    page.get_by_label("Geocode v1").check()
    page.get_by_label("Requests a day").fill("2000")

    dialog(page).get_by_role("button", name="Create API Key").click()
    expect(page.get_by_text("One entry of the list cannot be used")).to_be_visible()
    expect(page.get_by_text("The plan allows 1,000")).to_be_visible()
    assert entries(page) == ["http*://example.com/*", "bad host", "203.0.113.0/24"]
    expect(page.get_by_label("Geocode v1")).to_be_checked()
    assert ApiKey.objects.count() == 0

    page.locator("#entries input").nth(1).fill("shop.example.com")
    page.get_by_label("Requests a day").fill("200")
    dialog(page).get_by_role("button", name="Create API Key").click()
    expect(page.get_by_text("works from now on")).to_be_visible()
    key = ApiKey.objects.get()
    assert (key.name, key.requests_per_day, [str(service) for service in key.services.all()]) == (
        "Storefront",
        200,
        ["Geocode v1"],
    )
    assert [restriction.text for restriction in key.restrictions.all()] == [
        *("http*://example.com/*", "http*://shop.example.com/*", "203.0.113.0/24"),
    ]


def test_tester_answers_while_the_list_is_typed(owner: Account, open_page: OpenPage) -> None:
    make_key(owner, name="Storefront", restrictions=["example.com"])
    page = open_page()
    page.get_by_role("button", name="Edit the key “Storefront”").click()
    page.get_by_role("tab", name="Restrictions").click()
    tested = page.locator("#tested")
    page.get_by_label("Page", exact=True).fill("https://www.example.com/shop")
    expect(tested.get_by_text("Refused")).to_be_visible()
    expect(tested.get_by_text("www.example.com is a subdomain, and http*://")).to_have_count(0)
    expect(tested.get_by_text("www.example.com is a subdomain, and example.com covers none.")).to_be_visible()

    page.get_by_role("button", name="Add http*://*.example.com/*").click()
    expect(tested.get_by_text("Passes")).to_be_visible()
    expect(page.locator("#list-advice")).to_be_empty()
    assert entries(page) == ["http*://example.com/*", "http*://*.example.com/*"]

    page.locator("#entries input").nth(1).fill("https://www.example.com/shop/*")
    expect(tested.get_by_text("only “/” was sent")).to_be_visible()
    page.get_by_role("button", name="Use https://www.example.com/*").click()
    expect(tested.get_by_text("Passes")).to_be_visible()
    dialog(page).get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved, and holds at once").last).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Storefront"))).to_contain_text("https://www.example.com/*")


def test_two_windows_on_one_key_overwrite_nothing_unasked(owner: Account, open_page: OpenPage) -> None:
    make_key(owner, name="Storefront")
    first, second = open_page(), open_page()
    for page in (first, second):
        page.get_by_role("button", name="Edit the key “Storefront”").click()
        expect(page.get_by_label("API Key Name")).to_be_visible()
    first.get_by_label("API Key Name").fill("First")
    dialog(first).get_by_role("button", name="Save").click()
    expect(first.get_by_role("row", name=re.compile("First"))).to_be_visible()

    second.get_by_label("API Key Name").fill("Second")
    dialog(second).get_by_role("button", name="Save").click()
    expect(second.get_by_text("changed in another window")).to_be_visible()
    expect(second.get_by_label("API Key Name")).to_have_value("Second")
    assert ApiKey.objects.get().name == "First"
    second.get_by_role("button", name="look at what is stored").click()
    expect(second.get_by_label("API Key Name")).to_have_value("First")
    second.get_by_label("API Key Name").fill("Second")
    dialog(second).get_by_role("button", name="Save").click()
    expect(second.get_by_role("row", name=re.compile("Second"))).to_be_visible()
    assert ApiKey.objects.get().name == "Second"


def test_key_is_made_and_edited_by_keyboard_alone(owner: Account, open_page: OpenPage) -> None:
    make_key(owner, name="Other")
    page = open_page()
    page.locator("#create-key").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="API Key", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Maptiles Key")).to_be_checked()
    page.get_by_label("API Key Name").focus()
    page.keyboard.type("By keyboard")
    page.get_by_role("tab", name="Information").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Restrictions")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("a.b.example.com")
    page.keyboard.press("Enter")
    expect(page.locator("#entries input").nth(1)).to_be_focused()
    page.keyboard.type("c.b.example.com")
    assert entries(page) == ["a.b.example.com", "c.b.example.com"]
    page.get_by_label("Page", exact=True).press("Enter")  # Sends no form.
    expect(dialog(page).get_by_role("button", name="Create API Key")).to_be_visible()
    dialog(page).get_by_role("button", name="Create API Key").press("Enter")
    expect(page.get_by_role("button", name="Done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#create-key")).to_be_focused()

    edit = page.get_by_role("button", name="Edit the key “By keyboard”")
    edit.press("Enter")
    expect(page.get_by_label("API Key Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(edit).to_be_focused()
    assert ApiKey.objects.get(name="By keyboard").type == "tiles"


def test_phone_shows_everything_within_its_width(owner: Account, open_page: OpenPage) -> None:
    make_key(
        owner,
        name="Storefront " * 8,
        description="x" * 300,
        restrictions=[f"{'s' * 60}{n}.example.com" for n in range(5)],
    )
    page = open_page(viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name=re.compile("Edit the key")).click()
    page.get_by_role("tab", name="Restrictions").click()
    page.get_by_label("Page", exact=True).fill("https://" + "long-" * 11 + "name.example.com/")
    expect(page.locator("#tested").get_by_text("Refused")).to_be_visible()
    box = dialog(page)
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_list_only_reports_until_its_replay_refuses_nobody_who_belongs(
    owner: Account, gate: GateProcess, open_page: OpenPage
) -> None:
    created = make_key(owner, name="Storefront", restrictions=["example.com"])

    def ask(origin: str) -> int:
        return gate.get(f"/Geocode?address=x&api_key={created.text}", headers={"Origin": origin}).status_code

    page = open_page()
    row = page.get_by_role("row", name=re.compile("Storefront"))
    edit = page.get_by_role("button", name="Edit the key “Storefront”")
    edit.click()
    page.get_by_role("tab", name="Restrictions").click()
    page.get_by_label("Report only").check()
    page.get_by_role("button", name="Last 7 days").click()
    expect(page.get_by_text("No requests in the last 7 days.")).to_be_visible()
    dialog(page).get_by_role("button", name="Save", exact=True).click()
    expect(row.get_by_text("Report only")).to_be_visible()

    wait_until(lambda: ask("https://shop.example.org") == 200)
    assert ask("https://example.com") == 200
    ingest_all()

    edit.click()
    page.get_by_role("tab", name="Restrictions").click()
    expect(page.get_by_label("Report only")).to_be_checked()
    page.get_by_role("button", name="Last 7 days").click()
    found = page.locator("#replay")
    # More than one where the gate had not heard of the switch yet.
    expect(found.get_by_text(re.compile(r"this list would have refused [1-9]\d* of \d+ requests\."))).to_be_visible()
    found.get_by_role("button", name="Allow https://shop.example.org").click()
    expect(found.get_by_text(re.compile(r"this list would have refused 0 of \d+ requests\."))).to_be_visible()
    assert entries(page) == ["http*://example.com/*", "https://shop.example.org/*"]
    found.get_by_role("button", name="Save and enforce").dblclick()
    expect(page.get_by_text("is saved, and holds at once")).to_be_visible()
    expect(row.get_by_text("Report only")).to_have_count(0)

    wait_until(lambda: ask("https://evil.example.net") == 403)
    assert ask("https://shop.example.org") == 200
    key = ApiKey.objects.get()
    assert (key.restrictions_mode, key.version) == ("enforced", 3)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.3)
