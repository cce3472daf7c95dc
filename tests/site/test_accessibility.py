"""axe-core finds nothing on any page or dialog, in light or in dark, and no page is wider than a phone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django import Settings

from accounts.invitations import invitation_create
from accounts.models import Account, Membership, Role, TokenScope
from accounts.tokens import token_create
from billing.ledger import monthly_credit_grant
from billing.statements import month_close
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month
from keys.models import ApiKey
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import key_revoke
from stats.outcomes import Outcome
from tests.browser import PHONE, WIDE, OpenPage
from tests.factories import make_event, make_key, make_member, make_notice
from tests.road import store

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What else axe looks at is the same in both themes.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
_RUN = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ['violations'] })
  return violations.map(({ id, nodes: [first, ...more] }) =>
    `${id} (and ${more.length} more): ${first.html.slice(0, 160)}: ${first.failureSummary}`)
}"""
_THEME = "(theme) => document.documentElement.setAttribute('data-bs-theme', theme)"
# Charts are drawn anew a moment later.
_FITS = """async () => {
  const end = performance.now() + 3000
  const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth
  while (!fits() && performance.now() < end) await new Promise(requestAnimationFrame)
  return fits()
}"""
_OPEN = "(url) => htmx.ajax('GET', url, { target: '#dialog' })"


@dataclass(frozen=True, slots=True)
class World:
    """What the pages are about: an account that has something to show on each of them."""

    key: ApiKey
    rotated: ApiKey
    deleted: ApiKey
    disabled: ApiKey
    viewer: Membership
    request_id: str
    month: Month
    invitation: str


@pytest.fixture
def world(owner: Account) -> World:
    now = utc_now()
    month = Month.of(now.date()).previous
    Account.objects.filter(pk=owner.pk).update(created_at=now - timedelta(days=100))
    owner.refresh_from_db()
    key = make_key(owner, name="Web shop", restrictions=["http*://example.com/*", "203.0.113.0/24"])
    rotated, deleted, disabled = (make_key(owner, name=name).key for name in ("Server", "Old app", "Test"))
    key_revoke(key=deleted)
    key_rotate(key=rotated, overlap=Overlap.DAY)
    make_key(owner, "tiles", name="Map")
    refused = make_event(key, at=now, outcome=Outcome.ORIGIN_NOT_ALLOWED, origin="https://other.example")
    store(
        *(make_event(key, at=now - timedelta(days=40), cost_micro_usd=12_000_000) for _ in range(2)),
        *(make_event(key, at=now - timedelta(hours=n)) for n in range(3)),
        refused,
        make_event(key, at=now, outcome=Outcome.DAILY_QUOTA),
    )
    monthly_credit_grant(month=Month.of(now.date()), accounts=[owner])
    list(month_close(month=month, now=now, account=owner))
    make_notice(owner)
    by = owner.memberships.get(role=Role.OWNER)
    token_create(member=by, name="Monitor", scopes=[TokenScope.USAGE], expires_at=None)
    sent = invitation_create(by=by, email="new@example.com", role=Role.VIEWER)
    viewer = make_member(owner, "viewer")
    return World(key.key, rotated, deleted, disabled, viewer, refused.request_id, month, sent.token or "")


@pytest.fixture
def axe(npm_clients: Path) -> str:
    return (npm_clients / "axe-core" / "axe.min.js").read_text()


def found(page: Page, axe: str) -> list[str]:
    """What axe finds: the rule, how often, the first place, and what is wrong there."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    lines = []
    for theme, rules in (("light", RULES), ("dark", COLOUR_RULES)):
        page.evaluate(_THEME, theme)
        lines += [f"{theme}: {line}" for line in page.evaluate(_RUN, rules)]
    return lines


def trouble_on(page: Page, axe: str, urls: Iterable[str]) -> dict[str, list[str]]:
    """What is wrong with each page, by its URL."""
    page.emulate_media(reduced_motion="reduce")  # Colours that fade from one theme to the other are neither.
    trouble = {}
    for url in urls:
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        page.goto(url)
        lines = found(page, axe)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if not page.evaluate(_FITS):
            lines.append("It is wider than a phone.")
        if lines:
            trouble[url] = lines
    return trouble


def listed(trouble: dict[str, list[str]]) -> str:
    return "\n".join(f"{where}: {line}" for where, lines in trouble.items() for line in lines)


def test_pages_of_the_account(open_page: OpenPage, site_url: str, world: World, axe: str, settings: Settings) -> None:
    settings.PAYMENT_PROVIDER = "stripe"
    key = f"/keys/{world.key.pk}"
    paths = [
        *("/keys", "/keys?q=nothing", key, f"{key}?tab=use", f"{key}?tab=start", f"{key}?tab=history"),
        *(f"/keys/{other.pk}" for other in (world.rotated, world.deleted)),
        *("/keys/deleted", f"/keys/{world.deleted.pk}/receipt", f"/keys/{world.rotated.pk}/rotation"),
        *("/statistics", "/statistics?by=key&measure=cost&chart=lines", "/statistics?by=outcome&chart=table"),
        *("/statistics?by=origin", "/statistics?period=custom", "/statistics?period=never"),
        *("/requests", "/requests?outcome=refused", f"/requests/{world.request_id}", "/requests/find?id=nothing"),
        *("/billing", f"/billing/statements/{world.month}", "/notices"),
        *("/account", "/account/tokens", "/account/history", f"/account/members/{world.viewer.pk}"),
        *("/account/2fa/", "/account/2fa/totp/activate", "/account/email/", "/account/sessions/"),
        *("/account/password/change/", "/account/logout/", "/no-such-page"),
    ]
    trouble = trouble_on(open_page(), axe, [site_url + path for path in paths])
    assert not trouble, listed(trouble)


def test_dialogs(open_page: OpenPage, world: World, axe: str, settings: Settings) -> None:
    settings.PAYMENT_PROVIDER = "stripe"
    page, trouble, pk = open_page("/keys"), {}, world.key.pk
    page.emulate_media(reduced_motion="reduce")
    for path in (
        reverse("keys:create"),
        reverse("keys:edit", args=[pk]),
        *(reverse(f"keys:{name}", args=[pk]) for name in ("delete", "rotate", "disable")),
        reverse("receipts:rotation", args=[world.rotated.pk]),
        reverse("keys:block_origin", args=[pk]) + "?origin=https://evil.example",
        reverse("billing:plan_request", args=["pro"]),
        *(reverse(f"billing:{name}") for name in ("deposit", "budget", "alerts")),
    ):
        page.evaluate(_OPEN, path)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        tabs: list[Locator | None] = [*dialog.get_by_role("tab").all()]
        for tab in tabs or [None]:
            if tab:
                tab.click()
            if lines := found(page, axe):
                trouble[f"{path} {tab and tab.inner_text()}"] = lines
        if path.endswith("/edit"):
            trouble.update(trouble_in_answers(page, axe))
        page.evaluate("document.getElementById('dialog').close()")
        expect(dialog).to_be_hidden()
    assert not trouble, listed(trouble)


def trouble_in_answers(page: Page, axe: str) -> dict[str, list[str]]:
    """Of a list that was tried on a page and on past requests, and has an entry that cannot be used."""
    page.locator("#entries input").first.fill("bad host")
    page.get_by_label("Page", exact=True).fill("https://www.example.com/shop")
    page.get_by_role("button", name="Last 7 days").click()
    expect(page.locator("#replay")).not_to_be_empty()
    expect(page.locator("#tested").get_by_text(re.compile("Refused|Passes"))).to_be_visible()
    lines = found(page, axe)
    return {"answers of the edit dialog": lines} if lines else {}


def test_pages_before_signing_in(chromium: Browser, site_url: str, world: World, axe: str) -> None:
    paths = [
        *(reverse(name) for name in ("account_login", "account_signup", "account_reset_password")),
        *(reverse(name) for name in ("account_email_verification_sent", "account_reset_password_done")),
        reverse("account_confirm_email", args=["none"]),
        reverse("accounts:invitation", args=[world.invitation]),
    ]
    page = chromium.new_page()
    trouble = trouble_on(page, axe, [site_url + path for path in paths])
    # As one who may not see bills.
    client = Client()
    client.force_login(world.viewer.user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site_url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    trouble |= trouble_on(page, axe, [site_url + path for path in ("/billing", "/keys", "/account")])
    page.close()
    assert not trouble, listed(trouble)
