"""The page of one key as a person walks it, in Chromium; and dialogs that lose nothing typed unasked."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from keys.services import key_set_restrictions
from stats.outcomes import Outcome
from tests.browser import PHONE, OpenPage
from tests.factories import make_event, make_key
from tests.road import copies, store

THIEF = "https://shop.example.net"


def drawn(page: Page) -> dict[str, list[int]]:
    """The series of the chart, as the page's script holds them."""
    chart = json.loads(page.locator("#usage-data").get_attribute("data-chart") or "")
    return {series["label"]: series["values"] for series in chart["series"]}


def test_use_is_looked_at_over_other_periods_and_the_address_keeps_it(owner: Account, open_page: OpenPage) -> None:
    created = make_key(owner, name="Storefront", restrictions=["example.com"])
    store(
        *copies(make_event(created, at=utc_now()), 3),
        make_event(created, at=utc_now(), origin=THIEF, outcome=Outcome.ORIGIN_NOT_ALLOWED),
    )
    page = open_page()
    page.get_by_role("link", name="Storefront").click()
    page.wait_for_url(f"**/keys/{created.key.pk}")
    expect(page.get_by_role("heading", name="Storefront")).to_be_visible()
    expect(page.locator("#usage-chart canvas")).to_be_visible()
    assert {label: (len(values), sum(values)) for label, values in drawn(page).items()} == {
        "Allowed": (7, 3),
        "Refused": (7, 1),
    }
    page.get_by_role("link", name="24 hours").click()
    page.wait_for_url("**?tab=use&period=24h")
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")
    assert len(drawn(page)["Allowed"]) == 24
    page.reload()
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="90 days").press("Enter")
    page.wait_for_url("**?tab=use&period=90d")
    page.go_back()
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")

    # The origin that the list refuses is let in from here, after a look at what will be saved.
    page.get_by_role("button", name="Allow this origin").click()
    expect(page.get_by_label("Web site or IP address").last).to_have_value(f"{THIEF}/*")
    page.get_by_role("dialog").get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("is saved, and holds at once")).to_be_visible()
    expect(page.locator(".key-facts").get_by_text(f"{THIEF}/*")).to_be_visible()
    expect(page.locator("#key-origins").get_by_text(THIEF)).to_be_visible()
    expect(page.get_by_role("button", name="Allow this origin")).to_have_count(0)
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")

    page.get_by_role("link", name="History", exact=True).click()
    page.wait_for_url("**?tab=history&period=24h")
    expect(page.get_by_text("Key edited")).to_have_count(1)
    page.go_back()
    expect(page.locator("#usage-chart canvas")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete the key").click()
    expect(page.get_by_text("The key is gone")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("This key was deleted on")).to_be_visible()
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)


def test_unused_key_begins_with_programs_that_are_copied_whole(
    owner: Account, open_page: OpenPage, settings: Settings
) -> None:
    settings.GATE_PUBLIC_URL = "https://api.example.vn"
    created = make_key(owner, name="Storefront")
    page = open_page(f"/keys/{created.key.pk}")
    program = page.locator("#snippet-curl .snippet")
    expect(program).to_contain_text(created.key.masked_text)
    page.get_by_role("button", name="Copy the program for curl").click()
    expect(page.locator("#snippet-curl .is-copied")).to_be_visible()
    url = f"https://api.example.vn/Geocode?address=91+Trung+Kinh&api_key={created.text}"
    assert page.evaluate("navigator.clipboard.readText()") == f"curl '{url}'"
    expect(program).not_to_contain_text(created.text)

    page.get_by_role("link", name="History", exact=True).click()
    expect(page.get_by_text("Key created")).to_be_visible()
    page.get_by_role("link", name="Quick start").click()
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="goong-sdk")).to_be_focused()
    program = page.locator("#snippet-goong-sdk .snippet")
    show = page.locator(".key-start").get_by_role("button", name="Show the key")
    show.click()
    expect(program).to_contain_text(f"accessToken: '{created.text}'")
    expect(show).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Copy the program for goong-sdk").click()
    expect(page.locator("#snippet-goong-sdk .is-copied").last).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == program.inner_text()
    show.click()
    expect(program).to_contain_text(f"accessToken: '{created.key.masked_text}'")
    expect(page.get_by_text(created.text)).to_have_count(0)


def test_phone_shows_the_page_within_its_width(owner: Account, open_page: OpenPage) -> None:
    long = [f"{'s' * 60}{n}.example.com" for n in range(5)]
    created = make_key(owner, name="Storefront " * 8, description="x" * 300, restrictions=long)
    for n in range(3):
        key_set_restrictions(key=created.key, restrictions=[*long, f"{n}.example.com"])
    store(make_event(created, at=utc_now(), origin=f"https://{'o' * 60}.{'o' * 60}.example.com"))
    page = open_page(f"/keys/{created.key.pk}", viewport=PHONE)
    for tab in ("Use", "Quick start", "History"):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("link", name=tab, exact=True)).to_have_attribute("aria-current", "page")
        if tab == "Use":
            expect(page.locator("#key-origins")).to_contain_text("oooo")
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], tab
    # On the list, a name begins where the rest of its card does.
    page.goto(page.url.partition("/keys")[0] + "/keys")
    name, cell = page.locator(".keys-table .cell-title"), page.locator(".keys-table [data-label=State]")
    assert name.evaluate("e => e.getBoundingClientRect().x") == cell.evaluate("e => e.getBoundingClientRect().x")


def test_what_was_typed_is_not_lost_by_escape(owner: Account, open_page: OpenPage) -> None:
    make_key(owner, name="Storefront")
    page = open_page()
    page.get_by_role("button", name="Edit the key “Storefront”").click()
    name, question = page.get_by_label("API Key Name"), page.get_by_role("alertdialog")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")  # Nothing has been typed: it closes.
    expect(name).to_have_count(0)

    page.get_by_role("button", name="Edit the key “Storefront”").click()
    expect(name).to_be_focused()
    name.fill("Much work")
    for _ in range(2):
        page.keyboard.press("Escape")
        expect(question.get_by_role("button", name="Keep editing")).to_be_focused()
        page.keyboard.press("Escape")
        expect(question).to_have_count(0)
        expect(name).to_be_focused()
    expect(name).to_have_value("Much work")
    page.get_by_role("button", name="Close").click()
    question.get_by_role("button", name="Keep editing").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved, and holds at once")).to_be_visible()
    assert ApiKey.objects.get().name == "Much work"

    page.locator("#create-key").click()
    name.fill("Another")
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#create-key")).to_be_focused()
    page.locator("#create-key").click()
    name.fill("Another")
    page.get_by_role("dialog").get_by_role("button", name="Create API Key").click()
    page.get_by_role("button", name="Done").click()  # Saved: nothing to ask.
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert ApiKey.objects.count() == 2
