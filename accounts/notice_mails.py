"""Mails notices to the members they are for, each once: what was sent to whom is recorded with the sending."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.languages import in_language_of
from accounts.models import Membership, Notice, NoticeMail
from accounts.notice_rows import NoticeRow, notice_row
from accounts.permissions import Permission, roles_with
from goongdash.lib.clock import utc_now

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 1_000
# What could not be mailed for so long is news no more.
GIVEN_UP_AFTER = timedelta(days=1)


def notices_mail() -> int:
    """Mails what waits, and returns how many mails that were. What fails is left to the next time."""
    since = utc_now() - GIVEN_UP_AFTER
    waiting = Notice.objects.filter(mailed_at=None, created_at__gt=since).order_by("id")
    ids = list(waiting.values_list("pk", flat=True)[:MAX_AT_ONCE])
    if not ids:
        return 0
    try:
        with get_connection() as mailer:
            return sum(_mail(notice_id, mailer) for notice_id in ids)
    except OSError as error:
        logger.error("mail_server_away", extra={"error": type(error).__name__, "n_waiting": len(ids)})
        return 0


@transaction.atomic
def _mail(notice_id: int, mailer: BaseEmailBackend) -> int:
    """One notice to all whom it is for. Whoever mails it at the same time passes it over."""
    waiting = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(mailed_at=None)
    notice = waiting.select_related("account").filter(pk=notice_id).first()
    if notice is None:
        return 0
    members = list(_recipients(notice))
    sent = [member for member in members if _mail_member(notice, member, mailer)]
    NoticeMail.objects.bulk_create(NoticeMail(notice=notice, user=member.user, sent_at=utc_now()) for member in sent)
    if len(sent) == len(members):
        notice.mailed_at = utc_now()
        notice.save(update_fields=["mailed_at"])
    return len(sent)


def _recipients(notice: Notice) -> Iterable[Membership]:
    """The members whom it is for, who want mails, and who have not got this one."""
    roles = roles_with(Permission[notice.permission])
    members = notice.account.memberships.filter(role__in=roles, mails_notices=True, user__is_active=True)
    return members.exclude(user__notice_mails__notice=notice).select_related("user")


def _mail_member(notice: Notice, member: Membership, mailer: BaseEmailBackend) -> bool:
    """False where the mail could not be handed over; an address that is refused for good counts as done."""
    with in_language_of(member.user):
        mail = _written(notice, member)
    mail.connection = mailer
    try:
        mail.send()
    except SMTPRecipientsRefused:
        logger.warning("notice_refused", extra={"notice_id": notice.pk})
    except OSError as error:
        logger.error("notice_not_mailed", extra={"notice_id": notice.pk, "error": type(error).__name__})
        return False
    return True


def _written(notice: Notice, member: Membership) -> EmailMessage:
    row = notice_row(notice, role=member.role, is_unread=True)
    context = {
        "notice": notice,
        "row": row,
        "url": settings.WEB_PUBLIC_URL + reverse("notices:list"),
        "settings_url": settings.WEB_PUBLIC_URL + reverse("accounts:account") + "#notices",
        "current_site": {"domain": settings.WEB_PUBLIC_URL.partition("://")[2]},
    }
    return EmailMessage(_subject(row), _body(context), to=[member.user.email])


def _subject(row: NoticeRow) -> str:
    text = render_to_string("accounts/email/notice_subject.txt", {"row": row})
    return " ".join(text.split())


def _body(context: dict[str, object]) -> str:
    return render_to_string("accounts/email/notice_message.txt", context)
