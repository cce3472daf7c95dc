"""The notices of an account as a member sees them: the bell, the page, and what marks them read."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import membership_or_404, requires
from accounts.forms import NoticeMailsForm, NoticesReadForm
from accounts.notice_filters import NoticeFilters
from accounts.notice_list import n_unread, notices_for, notices_mark_read, unread_of
from accounts.notice_rows import notice_row, notice_rows
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from accounts.services import membership_mail_notices

PAGE_SIZE = 20


@require_safe
@requires(Permission.SEE)
def notices(request: SiteRequest) -> HttpResponse:
    """The newest notices, or those before the cursor; all of them or the unread ones."""
    member, filters = membership_or_404(request), NoticeFilters.of(request.GET)
    wanted = unread_of(member) if filters.is_unread else notices_for(member)
    if filters.before:
        wanted = wanted.filter(pk__lt=filters.before)
    found = list(wanted[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "filters": filters,
        "rows": notice_rows(shown, role=member.role),
        "older": filters.url(before=shown[-1].pk) if len(found) > PAGE_SIZE else "",
        "newest_id": shown[0].pk if shown else 0,
    }
    return render(request, "notices/list.html", context)


@require_safe
@never_cache
@requires(Permission.SEE)
def bell(request: SiteRequest) -> HttpResponse:
    """What an open page asks every ten seconds: how many are unread, and what the newest of them says."""
    member = membership_or_404(request)
    newest = notice_rows(unread_of(member)[:1], role=member.role)
    return render(request, "notices/_bell.html", {"n_unread": n_unread(member), "newest": next(iter(newest), None)})


@require_POST
@requires(Permission.SEE)
def read(request: SiteRequest, notice_id: int) -> HttpResponse:
    """Marks one notice read, and answers with it and the bell."""
    member = membership_or_404(request)
    notice = get_object_or_404(notices_for(member), pk=notice_id)
    notices_mark_read(member=member, through=notice.pk, only=notice.pk)
    if not request.htmx:
        return redirect("notices:list")
    row = notice_row(notice, role=member.role, is_unread=False)
    return render(request, "notices/_read.html", {"row": row, "n_unread": n_unread(member)})


@require_POST
@requires(Permission.SEE)
def read_all(request: SiteRequest) -> HttpResponse:
    """Marks read what was there when the page was made, and not what has come since."""
    form = NoticesReadForm(request.POST)
    if form.is_valid():
        notices_mark_read(member=membership_or_404(request), through=form.cleaned_data["through"])
    return redirect("notices:list")


@require_POST
@requires(Permission.SEE)
def mails(request: SiteRequest) -> HttpResponse:
    """Whether notices of this account are mailed to the user."""
    form = NoticeMailsForm(request.POST)
    if form.is_valid():
        membership_mail_notices(member=membership_or_404(request), mails=form.cleaned_data["mails_notices"])
        messages.success(request, _("The setting is saved."))
    return redirect(reverse("accounts:account") + "#notices")
