"""Members as people meet them, in a browser: inviting, joining, what a role may not do, handing over; the second
step of signing in, by an app and by a passkey."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.clients.harness import CHROMIUM, CHROMIUM_ARGS
from tests.site.installation import Installation

PASSWORD = "a long enough sentence"


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield browser
        browser.close()


def new_context(chromium: Browser, trouble: list[str]) -> BrowserContext:
    """A browser of its own, whose script errors and policy violations are noted."""
    context = chromium.new_context()
    context.on("weberror", lambda error: trouble.append(str(error.error)))
    context.on("console", lambda line: trouble.append(line.text) if "Content Security Policy" in line.text else None)
    return context


def url_of(site: Installation, path: str) -> str:
    """By name: browsers give no passkeys to an address."""
    return f"http://localhost:{site.port}{path}"


def sign_in(page: Page, site: Installation, address: str) -> None:
    page.goto(url_of(site, "/account/login/"))
    page.locator("input[name=login]").fill(address)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/account/login/" not in url)


def sign_in_once_more(page: Page) -> None:
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")


def open_account(site: Installation, address: str, name: str) -> None:
    site.command_json("create_account", address, "--password", PASSWORD, "--name", name)


def mailed(site: Installation, address: str, pattern: str) -> str:
    """The newest text that fits in the mails to `address`."""
    files = sorted((site.data_dir / "mail").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for body in (_body(path, address) for path in files):
        if found := re.search(pattern, body):
            return found[0]
    raise AssertionError(f"No mail to {address} has {pattern}.")


def _body(path: Path, address: str) -> str:
    message = email.message_from_string(path.read_text(), policy=email.policy.default)
    part = message.get_body()
    return str(part.get_content()) if part is not None and address in str(message["To"]) else ""


def totp(secret: str, *, later: int = 0) -> str:
    """RFC 6238, six digits, half a minute."""
    counter = struct.pack(">Q", int(time.time()) // 30 + later)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    (number,) = struct.unpack(">I", digest[digest[-1] & 15 :][:4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def invite(page: Page, site: Installation, address: str, role: str) -> str:
    """Invites and returns the link that was mailed."""
    page.goto(url_of(site, "/account"))
    page.get_by_label("Email address").fill(address)
    page.get_by_label(re.compile(f"^{role}:")).check()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text(f"on its way to {address}")).to_be_visible()
    return mailed(site, address, r"http://\S+/invitations/\S+")


def test_somebody_is_invited_joins_may_not_do_all_and_takes_over(site: Installation, chromium: Browser) -> None:
    trouble: list[str] = []
    open_account(site, "an@example.com", "An Maps")
    site.command_json("create_key", "--account", "an@example.com", "--type", "rest", "--name", "Shop front")
    an = new_context(chromium, trouble).new_page()
    sign_in(an, site, "an@example.com")
    link = invite(an, site, "binh@example.com", "Viewer")

    binh = new_context(chromium, trouble).new_page()
    binh.goto(link)
    expect(binh.get_by_role("heading", name="Join An Maps")).to_be_visible()
    binh.get_by_role("button", name="Sign up to join").click()
    expect(binh.locator("input[name=email]")).to_have_value("binh@example.com")
    expect(binh.locator("input[name=email]")).to_be_disabled()
    binh.locator("input[name=password1]").fill(PASSWORD)
    binh.get_by_role("button", name="Create account").click()
    expect(binh.get_by_text("Welcome to An Maps. Your role is Viewer.")).to_be_visible()
    expect(binh.get_by_text("Shop front")).to_be_visible()

    # What a viewer may not do is not offered, and refused to who knows the address.
    navigation = binh.get_by_role("navigation", name="Main")
    expect(navigation.get_by_role("link", name="Statistics")).to_be_visible()
    expect(navigation.get_by_role("link", name="Billing")).to_have_count(0)
    binh.goto(url_of(site, "/billing"))
    expect(binh.get_by_role("heading", name="Not for your role")).to_be_visible()
    expect(binh.get_by_role("link", name="an@example.com")).to_be_visible()
    binh.goto(url_of(site, "/account"))
    expect(binh.get_by_role("heading", name="Members")).to_be_visible()
    expect(binh.get_by_role("button", name="Send the invitation")).to_have_count(0)
    expect(binh.get_by_label("Account name")).to_have_count(0)

    an.goto(url_of(site, "/account"))
    an.get_by_role("link", name="Change binh@example.com").click()
    an.get_by_label(re.compile("^Developer:")).check()
    an.get_by_role("button", name="Save the role").click()
    expect(an.get_by_role("row", name=re.compile("binh@example.com"))).to_contain_text("Developer")
    an.get_by_role("link", name="Change binh@example.com").click()
    an.get_by_role("button", name="Hand An Maps over").click()
    expect(an.get_by_text("binh@example.com owns the account now. You are an admin.")).to_be_visible()

    binh.reload()
    expect(binh.get_by_text("Your role is Owner.")).to_be_visible()
    binh.get_by_role("link", name="History: who changed what").click()
    expect(binh.get_by_role("row").nth(1)).to_contain_text("Account handed over")
    with binh.expect_download() as download:
        binh.get_by_role("link", name="CSV").click()
    assert "account.handed_over" in download.value.path().read_text()
    binh.goto(url_of(site, "/account"))
    binh.get_by_role("link", name="Change an@example.com").click()
    binh.get_by_role("button", name="Remove an@example.com").click()
    an.goto(url_of(site, "/keys"))
    expect(an.get_by_role("button", name="Open an account")).to_be_visible()
    assert trouble == []


def test_user_with_an_account_joins_another_and_changes_between_both(site: Installation, chromium: Browser) -> None:
    trouble: list[str] = []
    open_account(site, "chi@example.com", "Chi Maps")
    open_account(site, "dung@example.com", "Dung Maps")
    chi = new_context(chromium, trouble).new_page()
    sign_in(chi, site, "chi@example.com")
    link = invite(chi, site, "dung@example.com", "Billing")
    dung = new_context(chromium, trouble).new_page()
    dung.goto(link)
    dung.get_by_role("button", name="Sign in to join").click()
    dung.locator("input[name=login]").fill("dung@example.com")
    dung.locator("input[name=password]").fill(PASSWORD)
    dung.get_by_role("button", name="Sign in", exact=True).click()
    dung.get_by_role("button", name="Join").click()
    expect(dung.get_by_text("Welcome to Chi Maps. Your role is Billing.")).to_be_visible()

    # A page left open in another window belongs to the account that it was opened in.
    dung.goto(url_of(site, "/account"))
    other = dung.context.new_page()
    other.goto(url_of(site, "/keys"))
    other.get_by_label("Your menu: dung@example.com").click()
    other.get_by_role("button", name=re.compile("Dung Maps")).click()
    expect(other.get_by_text("You are in Dung Maps now.")).to_be_visible()
    dung.get_by_role("link", name="Leave dung@example.com").click()
    expect(dung.get_by_text("There is nothing here")).to_be_visible()
    dung.goto(url_of(site, "/account"))
    expect(dung.get_by_label("Account name")).to_have_value("Dung Maps")
    assert trouble == []


def test_second_step_by_an_app_and_a_sign_in_before_a_key_is_shown(site: Installation, chromium: Browser) -> None:
    trouble: list[str] = []
    open_account(site, "giang@example.com", "Giang Maps")
    key = site.command_json("create_key", "--account", "giang@example.com", "--type", "rest", "--name", "Shop front")
    page = new_context(chromium, trouble).new_page()
    sign_in(page, site, "giang@example.com")
    page.get_by_label("Your menu: giang@example.com").click()
    page.get_by_role("link", name="Two-step sign-in").click()
    page.get_by_role("link", name="Set up the app").click()
    sign_in_once_more(page)
    expect(page.get_by_alt_text("QR code for the authenticator app")).to_be_visible()
    page.get_by_text("It can’t be scanned?").click()
    secret = page.locator("#totp-secret").inner_text()
    page.locator("input[name=code]").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    page.locator("input[name=code]").fill(totp(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    expect(page.locator("#recovery-codes")).to_have_text(re.compile(r"(\d{8}\s*){10}"))

    page.goto(url_of(site, "/account"))
    page.get_by_label("Ask for a recent sign-in before showing a key").check()
    page.get_by_role("region", name="Security").get_by_role("button", name="Save").click()

    again = new_context(chromium, trouble).new_page()
    sign_in(again, site, "giang@example.com")
    expect(again.get_by_role("heading", name="Second step")).to_be_visible()
    again.locator("input[name=code]").fill(totp(secret, later=1))
    again.get_by_role("button", name="Sign in", exact=True).click()
    again.get_by_role("button", name="Show the key “Shop front”").click()
    expect(again.get_by_text(key["key"])).to_be_visible()

    # As if the sign-in were older than it is: the next look at a key asks for it again, and leads back.
    forget_sign_ins(site)
    again.reload()
    again.get_by_role("button", name="Show the key “Shop front”").click()
    again.wait_for_url("**/account/reauthenticate/**")
    sign_in_once_more(again)
    again.wait_for_url("**/keys")
    again.get_by_role("button", name="Show the key “Shop front”").click()
    expect(again.get_by_text(key["key"])).to_be_visible()

    again.goto(url_of(site, "/account/sessions/"))
    again.get_by_role("button", name="Sign out everywhere else").click()
    expect(again.get_by_text("You are signed in nowhere else.")).to_be_visible()
    page.goto(url_of(site, "/keys"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert trouble == []


def forget_sign_ins(site: Installation) -> None:
    done = site.command(
        "shell",
        "-c",
        "from importlib import import_module; from django.conf import settings\n"
        "from django.contrib.sessions.models import Session\n"
        "Store = import_module(settings.SESSION_ENGINE).SessionStore\n"
        "for row in Session.objects.all():\n"
        "    store = Store(row.session_key)\n"
        "    for record in store.get('account_authentication_methods', []): record['at'] -= 600\n"
        "    store.modified = True; store.save()\n",
    )
    assert done.returncode == 0, done.stderr


def test_passkey_is_added_and_signs_in_alone(site: Installation, chromium: Browser) -> None:
    trouble: list[str] = []
    open_account(site, "hoa@example.com", "Hoa Maps")
    context = new_context(chromium, trouble)
    page = context.new_page()
    add_authenticator(context, page)
    sign_in(page, site, "hoa@example.com")
    page.goto(url_of(site, "/account/2fa/webauthn/add/"))
    sign_in_once_more(page)
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    page.goto(url_of(site, "/account/2fa/webauthn/"))
    expect(page.get_by_role("row", name=re.compile("^Passkey"))).to_contain_text("without the password")

    page.get_by_label("Your menu: hoa@example.com").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/keys")
    expect(page.get_by_text("No keys yet")).to_be_visible()
    assert trouble == []


def add_authenticator(context: BrowserContext, page: Page) -> None:
    """A made-up fingerprint reader that always says yes."""
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
