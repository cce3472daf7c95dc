"""The account page, and changing from one account to another."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import membership_or_404, requires
from accounts.current import work_in
from accounts.forms import AccountForm, InvitationForm, LanguageForm, NoticeMailsForm, SecurityForm, SwitchForm
from accounts.invitations import invitations_open
from accounts.member_rows import invitation_rows, member_rows
from accounts.permissions import Permission, roles_given_by
from accounts.plan_rows import plan_row
from accounts.requests import SiteRequest
from accounts.selectors import memberships_of, owns_an_account
from accounts.services import account_ask_before_showing_keys, account_open, account_rename
from goongdash.lib.clock import utc_now


@require_http_methods(["GET", "POST"])
@requires(Permission.SEE, to_change=Permission.CHANGE_ACCOUNT)
def account(request: SiteRequest) -> HttpResponse:
    """Name, plan, members and security of the account; POST changes the name."""
    current = membership_or_404(request).account
    form = AccountForm(request.POST if request.method == "POST" else None, initial={"name": current.name})
    if form.is_valid():
        account_rename(account=current, name=form.cleaned_data["name"])
        messages.success(request, _("The account’s name is saved."))
        return redirect("accounts:account")
    return account_page(request, form=form)


@require_POST
@requires(Permission.CHANGE_ACCOUNT)
def security(request: SiteRequest) -> HttpResponse:
    form = SecurityForm(request.POST)
    if not form.is_valid():
        return account_page(request, security_form=form)
    current = membership_or_404(request).account
    account_ask_before_showing_keys(account=current, asks=form.cleaned_data["asks_before_showing_keys"])
    messages.success(request, _("The setting is saved."))
    return redirect("accounts:account")


@require_POST
def switch(request: SiteRequest) -> HttpResponse:
    """Works in another of the user's accounts from now on; 404 for one they are no member of."""
    form = SwitchForm(request.POST)
    wanted = form.cleaned_data["account"] if form.is_valid() else None
    memberships = request.memberships
    chosen = next((member.account for member in memberships if member.account_id == wanted), None)
    if chosen is None:
        raise Http404("You are no member of such an account.")
    work_in(request, chosen)
    messages.success(request, _("You are in %(account)s now.") % {"account": chosen.name})
    return redirect("home")


@require_POST
def open_own(request: SiteRequest) -> HttpResponse:
    """An account of one's own, for somebody who owns none: who was invited, or has left or handed over theirs."""
    if owns_an_account(request.user):
        messages.info(request, _("You own an account already."))
    else:
        work_in(request, account_open(user=request.user))
        messages.success(request, _("Your own account is open."))
    return redirect("home")


def account_page(request: SiteRequest, **forms: Any) -> HttpResponse:
    """The page; with 400 where one of `forms`, by its name in the template, is wrong."""
    membership, now = membership_or_404(request), utc_now()
    current = membership.account
    given = roles_given_by(membership.role)
    context = {
        "form": AccountForm(initial={"name": current.name}),
        "security_form": SecurityForm(initial={"asks_before_showing_keys": current.asks_before_showing_keys}),
        "notices_form": NoticeMailsForm(initial={"mails_notices": membership.mails_notices}),
        "language_form": LanguageForm(initial={"language": request.user.language or "browser"}),
        "invitation_form": InvitationForm(roles=given),
        "plan": plan_row(current.plan),
        "members": member_rows(memberships_of(current), viewer=membership),
        "invitations": invitation_rows(invitations_open(current), now=now) if given else [],
        "has_second_factor": is_mfa_enabled(request.user),
        **forms,
    }
    has_errors = any(form.errors for form in forms.values())
    return render(request, "accounts/account.html", context, status=HTTPStatus.BAD_REQUEST if has_errors else 200)
