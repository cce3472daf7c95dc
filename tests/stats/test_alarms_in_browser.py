"""A leak as a person meets it: the bell rings, the notice says why, its button blocks the origin at the gate."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from accounts.models import Account
from accounts.notice_kinds import NoticeKind
from tests.browser import PHONE, OpenPage
from tests.factories import make_key, make_notice
from tests.processes import GateProcess

EVIL = "https://evil.example"


def status_of(gate: GateProcess, text: str, wanted: int) -> int:
    """What the gate says to the origin, asked until it is `wanted`, or for two seconds."""
    deadline = time.monotonic() + 2
    while True:
        status = gate.get(f"/Geocode?address=a&api_key={text}", headers={"Origin": EVIL}).status_code
        if status == wanted or time.monotonic() > deadline:
            return status
        time.sleep(0.2)


def test_bell_rings_on_an_open_page_and_the_origin_is_blocked_from_the_notice(
    gate: GateProcess,
    owner: Account,
    open_page: OpenPage,
) -> None:
    created = make_key(owner, name="Shop")
    assert status_of(gate, created.text, 200) == 200
    page = open_page()
    page.clock.install()
    page.reload()
    bell = page.get_by_role("link", name="Notices, none unread")
    expect(bell).to_be_visible()

    facts = {"key": "Shop", "key_id": created.key.pk, "n_requests": 510, "n_usual": 10, "origin": EVIL}
    make_notice(owner, kind=NoticeKind.KEY_SPIKE, facts=facts)
    page.clock.fast_forward(10_000)
    expect(page.get_by_text("“Shop” is used far more than usual")).to_be_visible()
    page.get_by_role("link", name="Notices, 1 unread").click()
    page.wait_for_url("**/notices")
    expect(page.get_by_text("Most of them came from https://evil.example.")).to_be_visible()

    page.get_by_role("button", name="Block this origin").click()
    expect(page.get_by_role("dialog").get_by_text("evil.example", exact=True)).to_be_visible()
    page.get_by_role("button", name="Block it").click()
    expect(page.get_by_text("evil.example is blocked on “Shop”, at once.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert status_of(gate, created.text, 403) == 403

    page.get_by_role("button", name="Mark read").click()
    expect(page.get_by_role("link", name="Notices, none unread")).to_be_visible()
    expect(page.get_by_role("button", name="Mark read")).to_have_count(0)
    page.get_by_role("link", name="Unread", exact=True).click()
    expect(page.get_by_text("All read")).to_be_visible()

    phone = open_page(f"/keys/{created.key.pk}", PHONE)
    phone.get_by_role("button", name="Unblock evil.example").click()
    expect(phone.get_by_text("evil.example is not blocked any more.")).to_be_visible()
    assert status_of(gate, created.text, 200) == 200
