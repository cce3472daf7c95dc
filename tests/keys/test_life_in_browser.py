"""Rotating, disabling, deleting and bringing back a key, as a person does it, in Chromium."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from accounts.models import Account
from goongdash.lib.clock import utc_now
from keys.models import ApiKey, Rotation
from tests.browser import PHONE, OpenPage, dialog
from tests.factories import make_event, make_key
from tests.road import store


def test_key_is_rotated_watched_and_retired_and_brought_back(owner: Account, open_page: OpenPage) -> None:
    created = make_key(owner, name="Storefront", restrictions=["example.com"])
    store(make_event(created, at=utc_now(), origin="https://shop.example.com"))
    page = open_page()
    menu = page.get_by_label("More for the key “Storefront”").first

    menu.click()
    page.get_by_role("button", name="Rotate…").click()
    dialog(page).get_by_text("7 days").click()
    dialog(page).get_by_label("Retire it earlier?").select_option("24h")
    dialog(page).get_by_role("button", name="Rotate the key").dblclick()
    expect(dialog(page).get_by_text("works from now on")).to_be_visible()
    text = dialog(page).locator("#created-text").text_content()
    rotation = Rotation.objects.select_related("new").get()
    assert ApiKey.objects.count() == 2
    assert text and text.startswith(rotation.new.masked_text[:6])

    dialog(page).get_by_role("button", name="See who still uses it").click()
    expect(dialog(page).get_by_text("https://shop.example.com")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Being replaced")).to_be_visible()

    page.locator(f"#key-{created.key.pk}").get_by_label("More for").click()
    page.get_by_role("button", name="Rotation under way…").click()
    dialog(page).get_by_role("button", name="Retire the old key now").click()
    expect(page.get_by_text("is retired: the gates refuse it")).to_be_visible()
    expect(page.locator(".keys-table tbody tr")).to_have_count(1)

    page.get_by_role("link", name="Recently deleted keys").click()
    page.get_by_role("button", name="Undo the deletion of “Storefront”").click()
    expect(page.get_by_text("is back, and works as before")).to_be_visible()
    assert not ApiKey.objects.exclude(revoked_at=None).exists()


def test_key_is_disabled_enabled_deleted_and_undone_in_place_and_by_keyboard(
    owner: Account, open_page: OpenPage
) -> None:
    key = make_key(owner, name="Storefront").key
    page = open_page(viewport=PHONE)
    menu = page.get_by_label("More for the key “Storefront”")
    menu.press("Enter")
    page.get_by_role("button", name="Disable…").press("Enter")
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()

    menu.press("Enter")
    page.get_by_role("button", name="Disable…").press("Enter")
    dialog(page).get_by_role("button", name="Disable the key").press("Enter")
    expect(page.get_by_text("Disabled", exact=True)).to_be_visible()
    expect(menu).to_be_focused()
    menu.press("Enter")
    page.get_by_role("button", name="Enable", exact=True).press("Enter")
    expect(page.get_by_text("Active", exact=True)).to_be_visible()
    expect(menu).to_be_focused()

    page.get_by_role("button", name=re.compile("Delete the key")).click()
    dialog(page).get_by_role("button", name="Delete the key").click()
    expect(dialog(page).get_by_role("button", name="Done")).to_be_focused()
    dialog(page).get_by_role("button", name="Undo").click()
    expect(page.get_by_text("is back, and works as before")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Storefront"))).to_be_visible()
    key.refresh_from_db()
    assert (key.revoked_at, key.disabled_at) == (None, None)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
