"""Reads which notices are for a member and which of them are unread, and notes what they have read."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Membership, Notice, NoticeRead, Role
from accounts.permissions import ALLOWED
from goongdash.lib.clock import utc_now

# The bell says "99+" from here on, and no further is counted.
MAX_COUNTED = 100


def notices_for(member: Membership) -> QuerySet[Notice]:
    """Those that the member's role may see, newest first, with `is_unread`."""
    return _seen_by(member).annotate(is_unread=_is_unread(member))


def unread_of(member: Membership) -> QuerySet[Notice]:
    """Those of them that are unread."""
    return notices_for(member).filter(_is_unread(member))


def n_unread(member: Membership) -> int:
    """How many are unread, in one query; not more than MAX_COUNTED are counted."""
    return _seen_by(member).filter(_is_unread(member)).order_by()[:MAX_COUNTED].count()


def notices_mark_read(*, member: Membership, through: int, only: int | None = None) -> int:
    """Notes that the member has read the notice `only`, or all those up to the notice `through`."""
    found = unread_of(member).filter(pk__lte=through)
    if only is not None:
        found = found.filter(pk=only)
    reads = [NoticeRead(notice=notice, user=member.user, read_at=utc_now()) for notice in found]
    # Two windows may say so at once.
    NoticeRead.objects.bulk_create(reads, ignore_conflicts=True)
    return len(reads)


def _seen_by(member: Membership) -> QuerySet[Notice]:
    permissions = [permission.name for permission in ALLOWED[Role(member.role)]]
    return Notice.objects.filter(account=member.account_id, permission__in=permissions).order_by("-id")


def _is_unread(member: Membership) -> Q:
    """What is older than the membership is not unread: nobody begins with a year of news."""
    read = NoticeRead.objects.filter(notice=OuterRef("pk"), user=member.user_id)
    return Q(created_at__gte=member.created_at) & ~Q(Exists(read))
