"""Sign-up, verification, sign-in and password reset: allauth's views as this project sets them up."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django.asserts import assertContains, assertRedirects

from accounts.models import Account, Role, User
from tests.factories import PASSWORD, make_account

pytestmark = pytest.mark.usefixtures("db")

EMAIL = "dao@example.com"


@pytest.fixture(autouse=True)
def no_limit_is_reached_yet() -> None:
    cache.clear()


def sign_up(client: Client, email: str = EMAIL, password: str = PASSWORD) -> int:
    return client.post("/account/signup/", {"email": email, "password1": password}).status_code


def sign_in(client: Client, email: str = EMAIL, password: str = PASSWORD) -> bool:
    client.post("/account/login/", {"login": email, "password": password})
    return "_auth_user_id" in client.session


def link_in(mail: EmailMessage) -> str:
    [url] = re.findall(r"https?://\S+", str(mail.body))
    return str(urlsplit(url).path)


def test_sign_up_gives_an_account_on_the_free_plan(client: Client) -> None:
    assert sign_up(client, "Dao@Example.com") == 302
    user, account = User.objects.get(), Account.objects.get()
    assert (user.email, user.is_staff) == (EMAIL, False)
    assert (account.name, account.plan.slug) == ("dao", "free")
    assert [(member.user, member.role) for member in account.memberships.all()] == [(user, Role.OWNER)]


@pytest.mark.parametrize(
    ("email", "password"),
    [("not an address", PASSWORD), ("", PASSWORD), (EMAIL, ""), (EMAIL, "12345"), (EMAIL, "password")],
)
def test_sign_up_that_is_refused_leaves_nothing_behind(
    client: Client, mailoutbox: list[EmailMessage], email: str, password: str
) -> None:
    assert sign_up(client, email, password) == 200
    assert (User.objects.count(), Account.objects.count(), mailoutbox) == (0, 0, [])


def test_sign_up_with_an_address_that_is_taken_does_not_tell(client: Client, mailoutbox: list[EmailMessage]) -> None:
    make_account(EMAIL)
    assert sign_up(client, EMAIL.upper()) == 302
    assert (User.objects.count(), Account.objects.count()) == (1, 1)
    assert [mail.to for mail in mailoutbox] == [[EMAIL]]
    assert "_auth_user_id" not in client.session


def test_unverified_user_cannot_sign_in(client: Client) -> None:
    sign_up(client)
    assert "_auth_user_id" not in client.session
    assert sign_in(Client()) is False
    assertRedirects(client.get("/keys"), "/account/login/?next=/keys")


def test_link_in_the_mail_verifies_the_address_and_signs_in(client: Client, mailoutbox: list[EmailMessage]) -> None:
    sign_up(client)
    [mail] = mailoutbox
    assert mail.to == [EMAIL]
    link = link_in(mail)

    assert client.get(link).status_code == 200
    assert not EmailAddress.objects.get().verified  # A mail program that looks at links verifies nothing.

    assertRedirects(client.post(link), "/", target_status_code=302)
    assert EmailAddress.objects.get().verified
    assertContains(client.get("/keys"), "Create your first key")
    assert sign_in(Client()) is True


def test_link_that_was_changed_verifies_nothing(client: Client, mailoutbox: list[EmailMessage]) -> None:
    sign_up(client)
    link = link_in(mailoutbox[0])
    client.post(link[:-5] + "xxxx/")
    assert not EmailAddress.objects.get().verified


def test_link_works_for_its_own_address_only(client: Client, mailoutbox: list[EmailMessage]) -> None:
    sign_up(client)
    sign_up(Client(), "eve@example.com")
    Client().post(link_in(mailoutbox[1]))
    assert dict(EmailAddress.objects.values_list("email", "verified")) == {EMAIL: False, "eve@example.com": True}


def test_sign_in_takes_the_address_in_any_case_and_the_right_password_only(client: Client) -> None:
    make_account(EMAIL)
    assert sign_in(Client(), password="wrong") is False
    assert sign_in(Client(), email="nobody@example.com") is False
    assert sign_in(client, email="DAO@example.com") is True
    assertRedirects(client.post("/account/logout/"), "/account/login/")
    assertRedirects(client.get("/keys"), "/account/login/?next=/keys")


def test_sign_in_does_not_lead_to_another_site(client: Client) -> None:
    make_account(EMAIL)
    data = {"login": EMAIL, "password": PASSWORD, "next": "https://evil.example/"}
    assertRedirects(client.post("/account/login/", data), "/", target_status_code=302)


def test_guessing_a_password_is_stopped_even_with_the_right_one(client: Client) -> None:
    make_account(EMAIL)
    for _ in range(5):
        assert sign_in(client, password="wrong") is False
    response = client.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    assertContains(response, "Too many failed login attempts")
    assert "_auth_user_id" not in client.session
    assert sign_in(Client(REMOTE_ADDR="203.0.113.9")) is False


def test_password_is_reset_by_the_link_in_the_mail_once(client: Client, mailoutbox: list[EmailMessage]) -> None:
    make_account(EMAIL)
    assertRedirects(client.post("/account/password/reset/", {"email": EMAIL}), "/account/password/reset/done/")
    [mail] = mailoutbox
    assert mail.to == [EMAIL]
    form = client.get(link_in(mail), follow=True)
    new = "a better horse battery"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert sign_in(Client()) is False
    assert sign_in(Client(), password=new) is True
    assertContains(Client().get(link_in(mail), follow=True), "link", status_code=200)
    again = Client().get(link_in(mail), follow=True)
    assert "password1" not in again.content.decode()


def test_password_reset_does_not_tell_whether_there_is_such_a_user(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    response = client.post("/account/password/reset/", {"email": "nobody@example.com"})
    assertRedirects(response, "/account/password/reset/done/")
    assert [mail.to for mail in mailoutbox] == [["nobody@example.com"]]
    assert "password/reset/key" not in str(mailoutbox[0].body)
