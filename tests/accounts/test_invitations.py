"""Inviting by e-mail: who gets in by a link, who doesn't, and what becomes of the link."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.invitations import MAX_OPEN, VALID_FOR, invitation_by_token, invitation_create
from accounts.models import Account, AuditEntry, Invitation, Membership, Role, User
from goongdash.lib.clock import utc_now
from tests.factories import PASSWORD, make_account, make_member, owner_of

pytestmark = pytest.mark.usefixtures("db")

EMAIL = "dao@example.com"


@pytest.fixture(autouse=True)
def no_limit_is_reached_yet() -> None:
    cache.clear()


def invite(client: Client, email: str = EMAIL, role: str = "developer") -> int:
    return client.post(reverse("accounts:invite"), {"email": email, "role": role}).status_code


def link_in(mail: EmailMessage) -> str:
    [url] = re.findall(r"https?://\S+/invitations/\S+", str(mail.body))
    return str(urlsplit(url).path)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def age(**times: timedelta) -> None:
    """Makes all invitations older."""
    for invitation in Invitation.objects.all():
        for name, by in times.items():
            setattr(invitation, name, getattr(invitation, name) - by)
        invitation.save()


def members(account: Account) -> dict[str, str]:
    return dict(account.memberships.values_list("user__email", "role"))


def test_invitation_is_mailed_in_plain_words(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    assert invite(alice_client, "  Dao@Example.com ") == 302
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == ([EMAIL], "Join Alice Maps on Goongdash")
    for words in ("alice@example.com invites you to Alice Maps", "as Developer", "It works once, for dao@example.com"):
        assert words in str(mail.body)
    invitation = Invitation.objects.get()
    assert (invitation.account, invitation.email, invitation.role) == (alice, EMAIL, Role.DEVELOPER)
    assert invitation.expires_at - invitation.sent_at == VALID_FOR


def test_token_is_stored_nowhere(alice_client: Client, mailoutbox: list[EmailMessage]) -> None:
    invite(alice_client)
    token = link_in(mailoutbox[0]).rsplit("/", 1)[1]
    assert invitation_by_token(token) == Invitation.objects.get()
    with connection.cursor() as cursor:
        for table in ("accounts_invitation", "accounts_auditentry"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            [(rows,)] = cursor.fetchall()
            assert token not in rows


def test_stranger_signs_up_by_the_link_and_lands_in_the_account(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage], client: Client
) -> None:
    invite(alice_client)
    link = link_in(mailoutbox[0])
    assertContains(client.get(link), "Join Alice Maps")
    form = client.post(link, follow=True)
    assertRedirects(form, "/account/signup/")
    assertContains(form, 'value="dao@example.com"')
    # The address is the invited one whatever the browser sends.
    response = client.post("/account/signup/", {"email": "eve@example.com", "password1": PASSWORD}, follow=True)
    assertRedirects(response, "/keys")
    assertContains(response, "Welcome to Alice Maps. Your role is Developer.")
    user = User.objects.get(email=EMAIL)
    assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified")) == [(EMAIL, True)]
    assert members(alice) == {"alice@example.com": Role.OWNER, EMAIL: Role.DEVELOPER}
    assert Account.objects.count() == 1
    assert len(mailoutbox) == 1
    entry = AuditEntry.objects.get(action="member.joined")
    assert (entry.account, entry.object_id, entry.changes) == (alice, user.pk, {"role": [None, "developer"]})


def test_link_that_was_withdrawn_while_signing_up_gives_an_account_of_one_s_own(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage], client: Client
) -> None:
    invite(alice_client)
    client.post(link_in(mailoutbox[0]))
    alice_client.post(reverse("accounts:withdraw", args=[Invitation.objects.get().pk]))
    client.post("/account/signup/", {"email": EMAIL, "password1": PASSWORD})
    assert members(alice) == {"alice@example.com": Role.OWNER}
    assert [member.role for member in User.objects.get(email=EMAIL).memberships.all()] == [Role.OWNER]


def test_user_signs_in_and_joins_besides_their_own_account(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage], client: Client
) -> None:
    own = make_account(EMAIL)
    invite(alice_client)
    link = link_in(mailoutbox[0])
    assertContains(client.get(link), "Sign in to join")
    assertRedirects(client.post(link), f"/account/login/?next={link}", fetch_redirect_response=False)
    client.post(f"/account/login/?next={link}", {"login": EMAIL, "password": PASSWORD, "next": link})
    assertContains(client.get(link), "Join Alice Maps")
    assert members(alice) == {"alice@example.com": Role.OWNER}  # Looking joins nobody.
    for _ in range(2):  # A double click does no harm.
        response = client.post(link, follow=True)
        assertContains(response, "Welcome to Alice Maps")
    assert members(alice)[EMAIL] == Role.DEVELOPER
    assert response.context["account"] == alice
    assert User.objects.get(email=EMAIL).memberships.filter(account=own).exists()


def test_somebody_else_cannot_use_the_link(
    alice: Account, alice_client: Client, charlie_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    invite(alice_client)
    for response in (charlie_client.get(link_in(mailoutbox[0])), charlie_client.post(link_in(mailoutbox[0]))):
        assertContains(response, "you are signed in as charlie@example.com".capitalize()[1:], status_code=403)
    assert members(alice) == {"alice@example.com": Role.OWNER}


def test_address_that_is_not_verified_does_not_count(
    alice: Account, alice_client: Client, charlie: Account, charlie_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    address = EmailAddress.objects.create(user=owner_of(charlie), email="Dao@example.com", verified=False)
    invite(alice_client)
    link = link_in(mailoutbox[0])
    assert charlie_client.post(link).status_code == 403
    address.verified = True
    address.save()
    assert charlie_client.post(link).status_code == 302
    assert members(alice)["charlie@example.com"] == Role.DEVELOPER


def test_link_works_once(alice: Account, alice_client: Client, mailoutbox: list[EmailMessage]) -> None:
    dao = owner_of(make_account(EMAIL))
    invite(alice_client)
    link = link_in(mailoutbox[0])
    client_of(dao).post(link)
    dao.memberships.filter(account=alice).delete()
    response = client_of(dao).post(link)
    assertContains(response, "This invitation was accepted", status_code=410)
    assert Client().get(link).status_code == 410
    assert EMAIL not in members(alice)


@pytest.mark.parametrize("how", ["expired", "withdrawn"])
def test_dead_link_lets_nobody_in(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage], how: str
) -> None:
    dao = owner_of(make_account(EMAIL))
    invite(alice_client)
    if how == "expired":
        age(expires_at=VALID_FOR)
    else:
        for _ in range(2):
            alice_client.post(reverse("accounts:withdraw", args=[Invitation.objects.get().pk]))
        assert AuditEntry.objects.filter(action="invitation.withdrawn").count() == 1
    link = link_in(mailoutbox[0])
    for client in (Client(), client_of(dao)):
        assertContains(client.get(link), how, status_code=410)
        assert client.post(link).status_code == 410
    assert members(alice) == {"alice@example.com": Role.OWNER}


def test_link_that_is_not_one_is_404(client: Client, alice_client: Client) -> None:
    for each in (client, alice_client):
        assert each.get("/invitations/none").status_code == 404


def test_sending_again_makes_a_new_link_and_kills_the_old_one(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage], client: Client
) -> None:
    invite(alice_client)
    age(sent_at=timedelta(hours=1), expires_at=VALID_FOR)
    url = reverse("accounts:resend", args=[Invitation.objects.get().pk])
    for _ in range(2):  # The second is a double click.
        assertRedirects(alice_client.post(url), "/account")
    old, new = map(link_in, mailoutbox)
    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200
    assert Invitation.objects.get().expires_at > utc_now() + timedelta(days=6)
    assert AuditEntry.objects.filter(action="invitation.resent").count() == 1


def test_double_click_invites_once_and_another_role_is_told(
    alice_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    assert [invite(alice_client), invite(alice_client)] == [302, 302]
    assert (Invitation.objects.count(), len(mailoutbox)) == (1, 1)
    response = alice_client.post(reverse("accounts:invite"), {"email": EMAIL, "role": "viewer"})
    assertContains(response, "dao@example.com is invited already", status_code=400)


def test_expired_invitation_may_simply_be_made_anew(alice_client: Client, mailoutbox: list[EmailMessage]) -> None:
    invite(alice_client)
    age(sent_at=VALID_FOR, expires_at=VALID_FOR)
    assert invite(alice_client, role="viewer") == 302
    assert list(Invitation.objects.filter(withdrawn_at=None).values_list("role", flat=True)) == ["viewer"]
    assert len(mailoutbox) == 2


@pytest.mark.parametrize(
    ("email", "role", "message"),
    [
        ("", "viewer", "Whom do you want to invite?"),
        ("no address", "viewer", "Enter a valid email address."),
        ("x" * 300 + "@example.com", "viewer", "at most 254 characters"),
        (EMAIL, "owner", "owner is not one of the available choices"),
        (EMAIL, "", "Choose what they may do."),
        ("ALICE@example.com", "viewer", "alice@example.com is a member already."),
    ],
)
def test_bad_invitation_is_told_in_place_and_keeps_what_was_typed(
    alice_client: Client, mailoutbox: list[EmailMessage], email: str, role: str, message: str
) -> None:
    response = alice_client.post(reverse("accounts:invite"), {"email": email, "role": role})
    assertContains(response, message, status_code=400)
    if email:
        assertContains(response, f'value="{email}"', status_code=400)
    assert (Invitation.objects.count(), mailoutbox) == (0, [])


def test_there_is_an_end_to_open_invitations(alice: Account, alice_client: Client) -> None:
    by = alice.memberships.get()
    for n in range(MAX_OPEN):
        invitation_create(by=by, email=f"n{n}@example.com", role=Role.VIEWER)
    response = alice_client.post(reverse("accounts:invite"), {"email": EMAIL, "role": "viewer"})
    assertContains(response, "Withdraw some of them first.", status_code=400)


def test_mail_that_cannot_be_sent_is_told_and_can_be_sent_again(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", fail)
    response = alice_client.post(reverse("accounts:invite"), {"email": EMAIL, "role": "viewer"}, follow=True)
    assertContains(response, "could not be sent")
    assertContains(response, "Send again")
    assert Invitation.objects.count() == 1


def test_invitations_of_another_account_are_404(alice_client: Client, charlie: Account) -> None:
    invitation = invitation_create(by=charlie.memberships.get(), email=EMAIL, role=Role.VIEWER).invitation
    for name in ("resend", "withdraw"):
        assert alice_client.post(reverse(f"accounts:{name}", args=[invitation.pk])).status_code == 404
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is None


def test_page_lists_open_invitations_to_those_who_manage_members(alice: Account, alice_client: Client) -> None:
    invite(alice_client)
    assertContains(alice_client.get("/account"), EMAIL)
    viewer = make_member(alice, Role.VIEWER)
    page = client_of(viewer.user).get("/account")
    assertNotContains(page, EMAIL)
    assertNotContains(page, "Send the invitation")


def test_who_is_a_member_already_keeps_their_role(
    alice: Account, alice_client: Client, mailoutbox: list[EmailMessage]
) -> None:
    dao = owner_of(make_account(EMAIL))
    invite(alice_client, role="viewer")
    Membership.objects.create(account=alice, user=dao, role=Role.ADMIN)
    assert client_of(dao).post(link_in(mailoutbox[0])).status_code == 302
    assert members(alice)[EMAIL] == Role.ADMIN
