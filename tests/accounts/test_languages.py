"""Who is spoken to in which language: the cookie's, the browser's, the user's own; in mails the reader's."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils.translation import get_language, override
from pytest_django.asserts import assertContains, assertRedirects

from accounts.invitations import invitation_create
from accounts.languages import in_language_of, language_of
from accounts.models import Account, AuditEntry, Membership, Role, User
from tests.factories import PASSWORD, make_account, make_member, owner_of

pytestmark = pytest.mark.django_db


def language_at(client: Client, path: str = "/account/login/") -> str:
    response = client.get(path, follow=True)
    [tag] = [line for line in response.content.decode().splitlines() if line.startswith("<html")]
    language = tag.split('lang="')[1].split('"')[0]
    assert response["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= {each.strip() for each in response["Vary"].split(",")}
    return language


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("vi", "vi"), ("vi-VN,vi;q=0.9,en;q=0.5", "vi"), ("fr,de;q=0.9", "en"), ("en-GB,vi;q=0.4", "en")],
)
def test_visitor_is_spoken_to_as_the_browser_asks(accepted: str, language: str) -> None:
    assert language_at(Client(headers={"accept-language": accepted})) == language


def test_visitor_chooses_and_it_is_remembered() -> None:
    client = Client(headers={"accept-language": "en"})
    response = client.post("/account/language", {"language": "vi", "next": "/account/signup/"})
    assertRedirects(response, "/account/signup/")
    assert language_at(client) == "vi"
    client.post("/account/language", {"language": "browser"})
    assert language_at(client) == "en"


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "healthz", "nowhere", ""]
)
def test_choosing_a_language_leads_to_nobody_elses_site(wanted: str) -> None:
    response = Client().post("/account/language", {"language": "vi", "next": wanted})
    assert (response.status_code, response["Location"]) == (302, "/")


def test_language_that_the_site_does_not_speak_changes_nothing(alice: Account, alice_client: Client) -> None:
    response = alice_client.post("/account/language", {"language": "fr"})
    assert (response.status_code, response.cookies.keys()) == (302, {}.keys())
    assert owner_of(alice).language == ""
    assert Client().get("/account/language").status_code == 405


def test_users_choice_goes_before_cookie_and_browser_and_is_recorded(alice: Account, alice_client: Client) -> None:
    alice_client.post("/account/language", {"language": "vi"})
    assert owner_of(alice).language == "vi"
    entry = AuditEntry.objects.filter(account=alice).latest("id")
    assert (entry.action, entry.changes) == ("sign_in.language_changed", {"language": [None, "vi"]})
    elsewhere = Client(headers={"accept-language": "en"})
    elsewhere.force_login(owner_of(alice))
    elsewhere.cookies["django_language"] = "en"
    assert language_at(elsewhere, "/account") == "vi"
    alice_client.post("/account/language", {"language": "vi"})
    assert AuditEntry.objects.filter(account=alice, action=entry.action).count() == 1


def test_account_page_offers_the_languages(alice_client: Client) -> None:
    page = alice_client.get("/account")
    for option in ('<option value="browser" selected>As the browser says', '<option value="vi">Tiếng Việt'):
        assertContains(page, option)


def test_signing_in_notes_what_the_browser_speaks(alice: Account) -> None:
    client = Client(headers={"accept-language": "vi-VN"})
    client.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    user = owner_of(alice)
    assert (user.language, user.browser_language, language_of(user)) == ("", "vi", "vi")


def test_signing_up_notes_what_the_browser_speaks(mailoutbox: list[EmailMessage]) -> None:
    client = Client(headers={"accept-language": "vi"})
    client.post("/account/signup/", {"email": "dao@example.com", "password1": PASSWORD})
    assert User.objects.get().browser_language == "vi"
    assert mailoutbox[0].subject == "Chào mừng đến với Goongdash: hãy xác nhận địa chỉ email"


@pytest.mark.parametrize(
    ("chosen", "browser", "language"),
    [("", "", "en"), ("", "vi", "vi"), ("en", "vi", "en"), ("vi", "", "vi"), ("fr", "", "en"), ("", "fr", "en")],
)
def test_language_of_a_user(chosen: str, browser: str, language: str) -> None:
    user = User(language=chosen, browser_language=browser)
    assert language_of(user) == language
    with override("vi"):
        with in_language_of(user):
            assert get_language() == language
        assert get_language() == "vi"


def test_mail_is_in_the_language_of_its_reader_not_of_who_caused_it(
    alice: Account, mailoutbox: list[EmailMessage]
) -> None:
    User.objects.update(language="vi")
    Client(headers={"accept-language": "en"}).post("/account/password/reset/", {"email": "alice@example.com"})
    assert mailoutbox[0].subject == "Chọn mật khẩu mới cho Goongdash"
    assert str(mailoutbox[0].body).startswith("Xin chào,\n\nHãy mở liên kết này")


def test_invitation_is_in_the_language_of_whom_it_is_for_where_they_are_known(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    User.objects.filter(pk=make_account("binh@example.com").memberships.get().user.pk).update(language="vi")
    for email in ("binh@example.com", "stranger@example.com"):
        alice_client.post("/account/invitations", {"email": email, "role": "viewer"})
    assert [mail.subject for mail in mailoutbox] == [
        "Tham gia Alice Maps trên Goongdash",
        "Join Alice Maps on Goongdash",
    ]


def test_refusals_of_services_are_in_the_language_of_the_page(alice: Account) -> None:
    make_member(alice, Role.VIEWER, "binh@example.com")
    by = Membership.objects.get(account=alice, role=Role.OWNER)
    with override("vi"), pytest.raises(ValueError, match=r"binh@example\.com đã là thành viên\."):
        invitation_create(by=by, email="binh@example.com", role=Role.VIEWER)


def test_operators_pages_are_in_one_language(alice: Account) -> None:
    user = owner_of(alice)
    User.objects.filter(pk=user.pk).update(language="vi", is_staff=True, is_superuser=True)
    client = Client(headers={"accept-language": "vi"})
    client.force_login(User.objects.get(pk=user.pk))
    page = client.get("/admin/")
    assertContains(page, "Accounts, keys, usage and billing")
    assert page["Content-Language"] == "en"


def test_history_is_told_in_the_readers_words_and_exported_as_recorded(alice: Account, alice_client: Client) -> None:
    alice_client.post("/account/security", {"asks_before_showing_keys": "on"})
    User.objects.update(language="vi")
    assertContains(alice_client.get("/account/history"), "xác nhận trước khi hiện khóa")
    exported = b"".join(alice_client.get("/account/history.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "asks before showing keys: no → yes" in exported
