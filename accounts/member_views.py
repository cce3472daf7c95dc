"""Inviting people, and the page of one member: role, handing over, removing, leaving."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import forbidden, membership_or_404, requires
from accounts.errors import InvitationError, LastOwner, RoleTooLow
from accounts.forms import InvitationForm, RoleForm
from accounts.invitations import invitation_create, invitation_renew, invitation_withdraw
from accounts.mails import mail_invitation
from accounts.members import account_hand_over, member_leave, member_remove, member_set_role
from accounts.models import Invitation, Membership, Role
from accounts.permissions import Permission, may, roles_given_by
from accounts.requests import SiteRequest
from accounts.selectors import memberships_of, owners_of
from accounts.views import account_page


@require_POST
@requires(Permission.MANAGE_MEMBERS)
def invite(request: SiteRequest) -> HttpResponse:
    by = membership_or_404(request)
    form = InvitationForm(request.POST, roles=roles_given_by(by.role))
    if form.is_valid():
        try:
            sent = invitation_create(by=by, email=form.cleaned_data["email"], role=Role(form.cleaned_data["role"]))
        except InvitationError as error:
            form.add_error("email", str(error))
        else:
            _say_sent(request, sent.invitation, mail_invitation(request, sent))
            return redirect("accounts:account")
    return account_page(request, invitation_form=form)


@require_POST
@requires(Permission.MANAGE_MEMBERS)
def resend(request: SiteRequest, invitation_id: int) -> HttpResponse:
    invitation = _invitation_or_404(request, invitation_id)
    try:
        sent = invitation_renew(invitation=invitation)
    except InvitationError as error:
        messages.error(request, str(error))
    else:
        _say_sent(request, sent.invitation, mail_invitation(request, sent))
    return redirect("accounts:account")


@require_POST
@requires(Permission.MANAGE_MEMBERS)
def withdraw(request: SiteRequest, invitation_id: int) -> HttpResponse:
    invitation = _invitation_or_404(request, invitation_id)
    if invitation_withdraw(invitation=invitation):
        words = _("The invitation of %(email)s is withdrawn; its link is dead.")
        messages.success(request, words % {"email": invitation.email})
    else:
        words = _("The invitation of %(email)s was withdrawn or accepted before.")
        messages.info(request, words % {"email": invitation.email})
    return redirect("accounts:account")


@require_safe
@requires(Permission.SEE)
def member(request: SiteRequest, member_id: int) -> HttpResponse:
    """What can be done about one member; about oneself, every member may see it."""
    return _member_page(request, _member_or_404(request, member_id))


@require_POST
@requires(Permission.MANAGE_MEMBERS)
def set_role(request: SiteRequest, member_id: int) -> HttpResponse:
    by, member = membership_or_404(request), _member_or_404(request, member_id)
    form = RoleForm(request.POST, roles=roles_given_by(by.role), current=member.role)
    if not form.is_valid():
        return _member_page(request, member, form)
    role = Role(form.cleaned_data["role"])
    try:
        member_set_role(by=by, member=member, role=role)
    except RoleTooLow:
        return forbidden(request, Permission.HAND_OVER)
    except LastOwner as error:
        messages.error(request, str(error))
    else:
        words = _("The role of %(email)s is %(role)s now.")
        messages.success(request, words % {"email": member.user.email, "role": role.label})
    return redirect("accounts:account")


@require_POST
@requires(Permission.MANAGE_MEMBERS)
def remove(request: SiteRequest, member_id: int) -> HttpResponse:
    by, member = membership_or_404(request), _member_or_404(request, member_id)
    try:
        member_remove(by=by, member=member)
    except RoleTooLow:
        return forbidden(request, Permission.HAND_OVER)
    except LastOwner as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(email)s is a member no longer.") % {"email": member.user.email})
    return redirect("accounts:account")


@require_POST
@requires(Permission.HAND_OVER)
def hand_over(request: SiteRequest, member_id: int) -> HttpResponse:
    by, member = membership_or_404(request), _member_or_404(request, member_id)
    try:
        account_hand_over(by=by, to=member)
    except RoleTooLow as error:
        messages.error(request, str(error))
    else:
        words = _("%(email)s owns the account now. You are an admin.")
        messages.success(request, words % {"email": member.user.email})
    return redirect("accounts:account")


@require_POST
@requires(Permission.SEE)
def leave(request: SiteRequest) -> HttpResponse:
    member = membership_or_404(request)
    try:
        member_leave(member=member)
    except LastOwner as error:
        messages.error(request, str(error))
        return redirect("accounts:account")
    messages.success(request, _("You have left %(account)s.") % {"account": member.account.name})
    return redirect("home")


def _member_or_404(request: SiteRequest, member_id: int) -> Membership:
    return get_object_or_404(memberships_of(membership_or_404(request).account), pk=member_id)


def _invitation_or_404(request: SiteRequest, invitation_id: int) -> Invitation:
    return get_object_or_404(membership_or_404(request).account.invitations, pk=invitation_id)


def _member_page(request: SiteRequest, member: Membership, form: RoleForm | None = None) -> HttpResponse:
    viewer = membership_or_404(request)
    is_viewer = member.pk == viewer.pk
    given = roles_given_by(viewer.role)
    if not is_viewer and not given:
        return forbidden(request, Permission.MANAGE_MEMBERS)
    context = {
        "member": member,
        "is_viewer": is_viewer,
        "is_last_owner": owners_of(viewer.account) == [member.user.email],
        "can_change": member.role in given and not is_viewer,
        "can_receive": may(viewer.role, Permission.HAND_OVER) and not is_viewer,
        "form": form or RoleForm(roles=given, current=member.role),
    }
    return render(request, "accounts/member.html", context, status=400 if form else 200)


def _say_sent(request: SiteRequest, invitation: Invitation, is_mailed: bool) -> None:
    if is_mailed:
        messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": invitation.email})
    else:
        words = _("The mail to %(email)s could not be sent. Send it again in a minute.")
        messages.error(request, words % {"email": invitation.email})
