"""Menus and dialogs by keyboard alone: they open, keep the focus while they are open, and give it back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from accounts.models import Account
from goongdash.lib.clock import utc_now
from tests.browser import OpenPage, dialog
from tests.factories import make_event, make_key
from tests.road import store

_IS_BEHIND = "document.activeElement !== document.body && !document.activeElement.closest('dialog')"


def test_filters_are_chosen_and_taken_back_by_keyboard(owner: Account, open_page: OpenPage) -> None:
    key = make_key(owner, name="Storefront")
    store(make_event(key, at=utc_now()), make_event(key, "directions", at=utc_now()))
    page = open_page("/statistics")
    box = page.locator("#filter-box-service summary")

    box.press("Enter")
    page.keyboard.press("Tab")
    first = page.locator("#filter-service-1")
    expect(first).to_be_focused()
    first.press("Space")
    page.wait_for_url(re.compile(r"[?&]service="))
    # The menu stays open for the next choice, and the focus in its place.
    expect(first).to_be_focused()
    expect(first).to_be_checked()
    page.keyboard.press("Escape")
    expect(first).to_be_hidden()
    expect(box).to_be_focused()

    page.reload()
    expect(page.get_by_role("list", name="Chosen filters").get_by_role("listitem")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("list", name="Chosen filters")).to_have_count(0)
    expect(first).not_to_be_checked()


def test_dialog_keeps_the_focus_and_gives_it_back(owner: Account, open_page: OpenPage) -> None:
    make_key(owner, name="Storefront")
    page = open_page()
    menu = page.get_by_label("More for the key “Storefront”")
    menu.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert not page.evaluate(_IS_BEHIND)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(menu).to_be_focused()
