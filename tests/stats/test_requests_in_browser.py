"""A refused request from the answer of the gate to its repair, and the request log, as a person walks them."""

from __future__ import annotations

import re
import time
from datetime import timedelta

from playwright.sync_api import expect

from accounts.models import Account
from goongdash.lib.clock import utc_now
from stats.ingest import ingest_all
from stats.outcomes import Outcome
from tests.browser import PHONE, OpenPage
from tests.factories import make_event, make_key
from tests.processes import GateProcess
from tests.road import copies, store


def test_refusal_of_the_gate_is_pasted_explained_and_repaired(
    gate: GateProcess, owner: Account, open_page: OpenPage
) -> None:
    created = make_key(owner, name="Shop front", restrictions=["https://shop.example.com/*"])

    def call() -> tuple[int, str]:
        url = f"/Geocode?address=Hanoi&api_key={created.text}"
        answer = gate.get(url, headers={"Referer": "https://blog.example.com/"})
        return answer.status_code, answer.text

    status, body = call()
    assert status == 403
    ingest_all()

    page = open_page("/keys")
    page.get_by_role("link", name="Requests").first.click()
    page.get_by_label("Request id").fill(body)  # As it came: an answer's whole body.
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("It came from https://blog.example.com, and no entry")).to_be_visible()
    expect(page.get_by_text("blog.example.com is not shop.example.com.")).to_be_visible()

    page.get_by_role("button", name="Allow https://blog.example.com").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#entries input").nth(1)).to_have_value("https://blog.example.com/*")
    expect(dialog.locator("#entries input").nth(1)).to_be_focused()
    expect(dialog.get_by_role("tab", name="Restrictions")).to_have_attribute("aria-selected", "true")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("would not be refused for this reason today")).to_be_visible()
    expect(page.get_by_text("blog.example.com is not shop.example.com.")).to_be_visible()
    assert re.search(r"/requests/[0-9a-f-]{36}$", page.url)
    deadline = time.monotonic() + 10
    while (status := call()[0]) != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status == 200


def test_log_is_filtered_and_paged_and_its_address_keeps_it(owner: Account, open_page: OpenPage) -> None:
    shop, tiles = make_key(owner, name="Shop front"), make_key(owner, "tiles", name="Map")
    then = utc_now() - timedelta(hours=3)
    store(
        *copies(make_event(shop, at=then, origin="https://shop.example.com"), 60, apart=timedelta(seconds=5)),
        make_event(tiles, "map-load", at=then, outcome=Outcome.RATE_LIMIT, origin="https://map.example.com"),
    )
    page = open_page("/requests")
    rows = page.locator(".request-table tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/requests?before=*")
    expect(rows).to_have_count(11)
    page.reload()
    expect(rows).to_have_count(11)
    page.get_by_role("link", name="Newer").click()
    expect(rows).to_have_count(50)

    page.get_by_label("Outcome").select_option("refused")
    page.wait_for_url("**/requests?outcome=refused")
    expect(rows).to_have_count(1)
    page.get_by_label("Origin").fill("shop")
    page.wait_for_url("**/requests?outcome=refused&origin=shop")
    expect(page.get_by_text("No request like that")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Outcome")).to_have_value("refused")
    expect(page.get_by_label("From", exact=True)).to_be_hidden()
    page.get_by_label("Time", exact=True).select_option("custom")
    expect(page.get_by_label("From", exact=True)).to_be_visible()
    page.get_by_label("From", exact=True).fill("2000-01-01T00:00")
    page.get_by_label("To", exact=True).fill("2000-01-01T00:00")
    expect(page.get_by_text("This is not after the beginning.")).to_be_visible()
    page.get_by_role("link", name="Requests").first.click()
    rows.first.get_by_role("link", name="Explain request").click()
    expect(page.get_by_role("heading", name="An allowed request")).to_be_visible()

    phone = open_page("/requests", PHONE)
    expect(phone.locator(".request-table tbody tr").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    phone.locator(".request-table tbody tr").last.get_by_role("link", name="Explain request").click()
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
