from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account, AuditEntry, Notice, NoticeRead, Role
from accounts.notice_kinds import NoticeKind
from accounts.permissions import Permission
from tests.factories import make_key, make_member, make_notice

HTMX = {"HX-Request": "true"}


def client_of(account: Account, role: Role) -> Client:
    client = Client()
    client.force_login(make_member(account, role).user)
    return client


def test_page_says_what_happened_and_marks_what_is_unread(alice: Account, alice_client: Client) -> None:
    make_notice(alice)
    page = alice_client.get("/notices")
    assertContains(page, "A new origin uses “Shop”: https://evil.example")
    assertContains(page, "1,234 requests from it were let pass.")
    assertContains(page, "is-unread")
    assertContains(page, "Notices, 1 unread")


def test_no_notices_say_what_will_be_here(alice_client: Client) -> None:
    assertContains(alice_client.get("/notices"), "Nothing to tell")
    assertContains(alice_client.get("/notices?unread=1"), "All read")
    assertContains(alice_client.get("/notices"), "Notices, none unread")


def test_stranger_s_notices_are_nobody_else_s(charlie: Account, alice_client: Client) -> None:
    notice = make_notice(charlie)
    assertNotContains(alice_client.get("/notices"), "evil.example")
    assert alice_client.post(f"/notices/{notice.pk}/read").status_code == 404
    assert not NoticeRead.objects.exists()


def test_notice_for_others_is_not_there(alice: Account) -> None:
    notice = make_notice(alice, permission=Permission.SEE_BILLS)
    client = client_of(alice, Role.DEVELOPER)
    assertNotContains(client.get("/notices"), "evil.example")
    assert client.post(f"/notices/{notice.pk}/read").status_code == 404


def test_pages_hold_twenty_and_cost_the_same_queries(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(45):
        make_notice(
            alice, facts={"key": f"Key {number:02}", "key_id": 1, "origin": "https://a.example", "n_requests": 1}
        )
    with django_assert_num_queries(5):  # Session, user, account; notices, the bell.
        page = alice_client.get("/notices").content.decode()
    seen: list[str] = []
    while True:
        found = re.findall(r"uses “(Key \d\d)”: \S+ <span", page)
        assert len(found) <= 20
        seen += found
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if older is None:
            break
        page = alice_client.get(older[1].replace("&amp;", "&")).content.decode()
    assert seen == [f"Key {number:02}" for number in reversed(range(45))]


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=" + "9" * 30, "before=²", "unread=0"])
def test_odd_queries_do_no_harm(alice_client: Client, query: str) -> None:
    assert alice_client.get(f"/notices?{query}").status_code == 200


def test_reading_one_answers_with_it_and_the_bell(alice: Account, alice_client: Client) -> None:
    first, second = make_notice(alice), make_notice(alice)
    for _ in range(2):
        answer = alice_client.post(f"/notices/{first.pk}/read", headers=HTMX)
        assertNotContains(answer, "is-unread")
        assertContains(answer, 'data-unread="1"')
    assert list(NoticeRead.objects.values_list("notice", flat=True)) == [first.pk]
    unread = alice_client.get("/notices?unread=1").content.decode()
    assert f'id="notice-{second.pk}"' in unread
    assert f'id="notice-{first.pk}"' not in unread


def test_all_read_leaves_what_came_since(alice: Account, alice_client: Client) -> None:
    page = (make_notice(alice), alice_client.get("/notices").content.decode())[1]
    through = re.search(r'name="through" value="(\d+)"', page)
    assert through
    later = make_notice(alice)
    assertRedirects(alice_client.post("/notices/read", {"through": through[1]}), "/notices")
    assert list(NoticeRead.objects.exclude(notice=later)) == list(NoticeRead.objects.all())
    assertContains(alice_client.get("/notices"), "Notices, 1 unread")
    assertRedirects(alice_client.post("/notices/read", {"through": "x"}), "/notices")


def test_bell_tells_how_many_are_unread_and_the_newest(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_notice(alice)
    newest = make_notice(alice, kind=NoticeKind.CREDIT_THRESHOLD, facts={"percent": 80})
    with django_assert_num_queries(5):  # Session, user, account; number, newest.
        bell = alice_client.get("/notices/bell", headers=HTMX)
    assertContains(bell, 'data-unread="2"')
    assertContains(bell, f'data-newest="{newest.pk}" data-title="80% of this month’s credit and balance is used"')
    assert "no-store" in bell.headers["Cache-Control"]


def test_action_that_a_role_may_not_do_is_not_offered(alice: Account) -> None:
    key = make_key(alice).key
    facts = {"key": "Shop", "key_id": key.pk, "n_days": 7, "expires_at": "2026-12-01T00:00:00+00:00"}
    make_notice(alice, kind=NoticeKind.KEY_EXPIRES, facts=facts)
    assertContains(client_of(alice, Role.DEVELOPER).get("/notices"), f'hx-get="/keys/{key.pk}/edit"')
    assertNotContains(client_of(alice, Role.VIEWER).get("/notices"), "/edit")


def test_mails_are_switched_off_and_on_by_each_member(alice: Account, alice_client: Client) -> None:
    assertContains(alice_client.get("/account"), 'name="mails_notices"')
    bob = make_member(alice, Role.VIEWER)
    assertRedirects(alice_client.post("/notices/mails"), "/account#notices", fetch_redirect_response=False)
    assert not alice.memberships.get(role=Role.OWNER).mails_notices
    bob.refresh_from_db()
    assert bob.mails_notices
    entry = AuditEntry.objects.get(action="member.mails_changed")
    assert (entry.actor_name, entry.changes) == ("alice@example.com", {"notices by e-mail": [True, False]})
    alice_client.post("/notices/mails", {"mails_notices": "on"})
    assert alice.memberships.get(role=Role.OWNER).mails_notices


@pytest.mark.parametrize("path", ["read", "mails"])
def test_nothing_is_changed_by_looking(alice: Account, alice_client: Client, path: str) -> None:
    make_notice(alice)
    assert alice_client.get(f"/notices/{path}").status_code == 405
    assert Notice.objects.count() == 1
