from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch

import pytest
from celery import Celery
from django.core.mail import EmailMessage
from django.db import connections
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from accounts.models import Account, Notice, NoticeMail, NoticeRead, Role
from accounts.notice_kinds import NOTICES, NoticeKind, in_words
from accounts.notice_list import n_unread, notices_for, notices_mark_read
from accounts.notice_mails import notices_mail
from accounts.notice_rows import notice_row
from accounts.notices import NewNotice, notice_raise, notices_forget, notices_raise
from accounts.permissions import Permission
from accounts.tasks import forget_notices, mail_notices
from goongdash.celery import app
from goongdash.lib.clock import utc_now
from tests.factories import make_account, make_key, make_member, make_notice, owner_of

FACTS: dict[str, str | int] = {
    "key": "Shop",
    "key_id": 7,
    "n_days": 7,
    "expires_at": "2026-12-01T17:00:00+00:00",
    "origin": "https://evil.example",
    "n_requests": 12_345,
    "n_usual": 200,
    "percent": 80,
    "quota": 100,
    "budget_micro_usd": 5_000_000,
    "cap_micro_usd": 2_000_000,
    "month": "2026-11",
    "total_micro_usd": 1_250_000,
}


@pytest.fixture
def sent() -> Iterator[list[tuple[str, dict[str, object]]]]:
    """The tasks that were handed to Celery."""
    tasks: list[tuple[str, dict[str, object]]] = []
    with patch.object(app, "send_task", lambda name, **options: tasks.append((name, options))):
        yield tasks


def raise_spike(account: Account, source: str = "key:1") -> bool:
    return notice_raise(
        account=account,
        kind=NoticeKind.KEY_SPIKE,
        source=source,
        facts={"key": "Shop", "key_id": 1, "n_requests": 5_000, "n_usual": 100},
        permission=Permission.SEE,
    )


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_words(kind: NoticeKind, alice: Account) -> None:
    notice = Notice(account=alice, kind=kind, facts=FACTS, created_at=utc_now())
    row = notice_row(notice, role=Role.OWNER, is_unread=True)
    assert row.title
    assert row.sentence.endswith(".")
    assert "%" not in row.title.replace("80%", "")


def test_words_show_numbers_money_and_instants_as_people_read_them() -> None:
    expires, statement = NOTICES[NoticeKind.KEY_EXPIRES], NOTICES[NoticeKind.STATEMENT_READY]
    assert in_words(expires.title, {"key": "Shop", "n_days": 1}) == "“Shop” expires in 1 day"
    assert in_words(expires.title, {"key": "Shop", "n_days": 30}) == "“Shop” expires in 30 days"
    assert "from 2 Dec 2026, 00:00 on" in in_words(expires.sentence, FACTS)
    assert in_words(statement.sentence, FACTS) == "It comes to $1.25."
    assert in_words(NOTICES[NoticeKind.KEY_SPIKE].sentence, FACTS).startswith("12,345 requests")


def test_notice_of_a_kind_that_is_gone_still_shows(alice: Account) -> None:
    row = notice_row(Notice(account=alice, kind="of_old", facts={}), role=Role.VIEWER, is_unread=False)
    assert (row.title, row.actions) == ("of_old", [])


def test_same_notice_is_raised_once(alice: Account) -> None:
    assert raise_spike(alice)
    assert not raise_spike(alice)
    assert raise_spike(alice, "key:2")
    assert sorted(Notice.objects.values_list("account", "source")) == [(alice.pk, "key:1"), (alice.pk, "key:2")]


def test_two_processes_at_once_raise_one(live: None) -> None:
    account = make_account()

    def once(_: int) -> bool:
        try:
            return raise_spike(account)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(once, range(4))) == [False, False, False, True]
    assert Notice.objects.count() == 1


@pytest.mark.django_db
def test_many_accounts_cost_one_statement_and_one_task(
    django_assert_num_queries: DjangoAssertNumQueries,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    sent: list[tuple[str, dict[str, object]]],
) -> None:
    accounts = [make_account() for _ in range(5)]
    new = [
        NewNotice(a.pk, NoticeKind.CREDIT_THRESHOLD, "2026-11:50", {"percent": 50}, Permission.SEE) for a in accounts
    ]
    with django_capture_on_commit_callbacks(execute=True), django_assert_num_queries(1):
        assert sorted(notices_raise([*new, *new]), key=lambda each: each.account_id) == new
    assert [name for name, _ in sent] == ["accounts.mail_notices"]
    assert Notice.objects.count() == 5


def test_nothing_raised_asks_for_no_mails(
    alice: Account,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    sent: list[tuple[str, dict[str, object]]],
) -> None:
    raise_spike(alice)
    with django_capture_on_commit_callbacks(execute=True):
        assert not raise_spike(alice)
        assert notices_raise([]) == []
    assert sent == []


def test_store_that_is_away_fails_no_change(
    alice: Account,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = Celery("away", broker="redis://127.0.0.1:1/0", set_as_current=False)
    with (
        patch("goongdash.celery.app", away),
        caplog.at_level(logging.WARNING),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert raise_spike(alice)
    assert [record.message for record in caplog.records] == ["notices_mailed_later"]
    assert Notice.objects.count() == 1


def test_fact_that_the_words_miss_is_an_error_at_once(alice: Account) -> None:
    with pytest.raises(KeyError):
        notice_raise(
            account=alice, kind=NoticeKind.KEY_SPIKE, source="a", facts={"key": "Shop"}, permission=Permission.SEE
        )
    assert not Notice.objects.exists()


def test_key_s_text_in_its_name_is_not_kept(alice: Account) -> None:
    created = make_key(alice)
    notice = make_notice(alice, facts={**FACTS, "key": f"old {created.text}"})
    assert notice.facts["key"] == "old •••"


def test_only_roles_with_the_permission_see_and_get_it(alice: Account, mailoutbox: list[EmailMessage]) -> None:
    developer, billing = make_member(alice, Role.DEVELOPER), make_member(alice, Role.BILLING)
    notice = make_notice(alice, permission=Permission.CHANGE_KEYS)
    mailoutbox.clear()
    assert notices_mail() == 2
    assert sorted(to for mail in mailoutbox for to in mail.to) == ["alice@example.com", developer.user.email]
    assert list(notices_for(developer)) == [notice]
    assert list(notices_for(billing)) == []
    assert (n_unread(developer), n_unread(billing)) == (1, 0)


def test_mail_says_what_happened_and_is_sent_once(alice: Account, mailoutbox: list[EmailMessage]) -> None:
    make_notice(alice)
    mailoutbox.clear()
    assert (mail_notices(), mail_notices()) == (1, 0)
    (mail,) = mailoutbox
    assert mail.subject == "A new origin uses “Shop”: https://evil.example · Goongdash"
    assert "1,234 requests from it were let pass." in mail.body
    assert "The account is Alice Maps." in mail.body
    assert "http://127.0.0.1:8000/notices\n" in mail.body
    assert NoticeMail.objects.get().user == owner_of(alice)
    assert Notice.objects.get().mailed_at is not None


def test_who_wants_no_mails_gets_none(alice: Account, mailoutbox: list[EmailMessage]) -> None:
    alice.memberships.update(mails_notices=False)
    make_notice(alice)
    mailoutbox.clear()
    assert notices_mail() == 0
    assert mailoutbox == []
    assert Notice.objects.get().mailed_at is not None


def test_mail_that_fails_is_sent_the_next_time_to_whom_it_failed(
    alice: Account, mailoutbox: list[EmailMessage]
) -> None:
    bob = make_member(alice, Role.VIEWER)
    make_notice(alice)
    mailoutbox.clear()
    real = EmailMessage.send

    def send(mail: EmailMessage, fail_silently: bool = False) -> int:
        if mail.to == [bob.user.email]:
            raise OSError("away")
        return real(mail, fail_silently)

    with patch.object(EmailMessage, "send", send):
        assert notices_mail() == 1
    assert notices_mail() == 1
    assert [mail.to for mail in mailoutbox] == [["alice@example.com"], [bob.user.email]]


def test_notice_that_could_not_be_mailed_for_a_day_is_news_no_more(
    alice: Account, mailoutbox: list[EmailMessage]
) -> None:
    make_notice(alice)
    mailoutbox.clear()
    Notice.objects.update(created_at=utc_now() - timedelta(days=2))
    assert notices_mail() == 0
    assert mailoutbox == []


def test_reading_is_each_member_s_own(alice: Account) -> None:
    first, second = make_notice(alice), make_notice(alice)
    bob = make_member(alice, Role.VIEWER)
    Notice.objects.update(created_at=utc_now())
    owner = alice.memberships.get(role=Role.OWNER)
    assert notices_mark_read(member=owner, through=first.pk) == 1
    assert notices_mark_read(member=owner, through=first.pk) == 0
    assert (n_unread(owner), n_unread(bob)) == (1, 2)
    assert notices_mark_read(member=bob, through=second.pk, only=second.pk) == 1
    assert NoticeRead.objects.count() == 2


def test_what_is_older_than_a_membership_is_not_unread(alice: Account) -> None:
    make_notice(alice)
    late = make_member(alice, Role.VIEWER)
    assert n_unread(late) == 0
    assert [notice.is_unread for notice in notices_for(late)] == [False]  # type: ignore[attr-defined]


def test_old_notices_are_forgotten(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.notices.FORGET_ROWS", 2)
    kept, *old = [make_notice(alice) for _ in range(4)]
    notices_mark_read(member=alice.memberships.get(), through=old[-1].pk)
    Notice.objects.filter(pk__in=[each.pk for each in old]).update(created_at=utc_now() - timedelta(days=366))
    assert forget_notices() == 3
    assert notices_forget(before=utc_now() - timedelta(days=365)) == 0
    assert list(Notice.objects.all()) == [kept]
    assert list(NoticeRead.objects.values_list("notice", flat=True)) == [kept.pk]
