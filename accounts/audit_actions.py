"""What is recorded of changes: the actions, and the kinds of those who act. Asks no database."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ActorKind(models.TextChoices):
    MEMBER = "member", _("Member")
    OPERATOR = "operator", _("Operator")
    COMMAND = "command", _("Command")
    SYSTEM = "system", _("System")


# Those who act for the installation: what they did, members do not undo.
OPERATORS = frozenset({ActorKind.OPERATOR, ActorKind.COMMAND})


class AuditAction(models.TextChoices):
    """The kind of the object, a dot, and what happened to it."""

    ACCOUNT_OPENED = "account.opened", _("Account opened")
    ACCOUNT_RENAMED = "account.renamed", _("Account renamed")
    ACCOUNT_PLAN_CHANGED = "account.plan_changed", _("Plan changed")
    ACCOUNT_PLAN_TO_CHANGE = "account.plan_to_change", _("Plan to change")
    ACCOUNT_PLAN_KEPT = "account.plan_kept", _("Plan kept after all")
    PLAN_REQUESTED = "plan_request.made", _("Plan asked for")
    PLAN_REQUEST_WITHDRAWN = "plan_request.withdrawn", _("Request for a plan withdrawn")
    PLAN_REQUEST_APPROVED = "plan_request.approved", _("Request for a plan approved")
    PLAN_REQUEST_DECLINED = "plan_request.declined", _("Request for a plan declined")
    ACCOUNT_SECURITY_CHANGED = "account.security_changed", _("Security setting changed")
    ACCOUNT_HANDED_OVER = "account.handed_over", _("Account handed over")
    ACCOUNT_EDITED = "account.edited", _("Account edited")
    BUDGET_SET = "budget.set", _("Budget set")
    BUDGET_REMOVED = "budget.removed", _("Budget removed")
    CREDIT_GRANTED = "credit.granted", _("Credit granted")
    ALERTS_SET = "alerts.set", _("Alert thresholds set")
    MONEY_DEPOSITED = "money.deposited", _("Deposit received")
    MONEY_REFUNDED = "money.refunded", _("Deposit refunded")
    MONEY_ADJUSTED = "money.adjusted", _("Balance adjusted")
    INVITATION_SENT = "invitation.sent", _("Invitation sent")
    INVITATION_RESENT = "invitation.resent", _("Invitation sent again")
    INVITATION_WITHDRAWN = "invitation.withdrawn", _("Invitation withdrawn")
    KEY_CREATED = "key.created", _("Key created")
    KEY_RESTRICTED = "key.restricted", _("Key’s restrictions changed")
    KEY_EDITED = "key.edited", _("Key edited")
    KEY_ORIGIN_BLOCKED = "key.origin_blocked", _("Origin blocked")
    KEY_ORIGIN_UNBLOCKED = "key.origin_unblocked", _("Origin unblocked")
    KEY_SPIKE_CUT = "key.spike_cut", _("Key cut after a spike")
    KEY_SPIKE_DISABLED = "key.spike_disabled", _("Key disabled after a spike")
    KEY_SPIKE_LIFTED = "key.spike_lifted", _("Cut or disabling lifted")
    KEY_DISABLED = "key.disabled", _("Key disabled")
    KEY_ENABLED = "key.enabled", _("Key enabled")
    KEY_ROTATED = "key.rotated", _("Key rotated")
    KEY_RETIRED = "key.retired", _("Replaced key retired")
    KEY_ROTATION_CANCELLED = "key.rotation_cancelled", _("Rotation cancelled")
    KEY_DELETED = "key.deleted", _("Key deleted")
    KEY_RESTORED = "key.restored", _("Key’s deletion undone")
    KEY_FORGOTTEN = "key.forgotten", _("Deleted key forgotten for good")
    MEMBER_JOINED = "member.joined", _("Member joined")
    MEMBER_ROLE_CHANGED = "member.role_changed", _("Member’s role changed")
    MEMBER_REMOVED = "member.removed", _("Member removed")
    MEMBER_LEFT = "member.left", _("Member left")
    MEMBER_MAILS_CHANGED = "member.mails_changed", _("Notices by e-mail switched")
    TOKEN_CREATED = "token.created", _("Personal token made")
    TOKEN_REVOKED = "token.revoked", _("Personal token revoked")
    LANGUAGE_CHANGED = "sign_in.language_changed", _("Language changed")
    PASSWORD_CHANGED = "sign_in.password_changed", _("Password changed")
    PASSWORD_RESET = "sign_in.password_reset", _("Password reset")
    ADDRESS_CHANGED = "sign_in.address_changed", _("Email address changed")
    ADDRESS_REMOVED = "sign_in.address_removed", _("Email address removed")
    TOTP_ADDED = "sign_in.totp_added", _("Authenticator app added")
    TOTP_REMOVED = "sign_in.totp_removed", _("Authenticator app removed")
    PASSKEY_ADDED = "sign_in.passkey_added", _("Passkey added")
    PASSKEY_REMOVED = "sign_in.passkey_removed", _("Passkey removed")
    RECOVERY_CODES_MADE = "sign_in.recovery_codes_made", _("New recovery codes made")
    SESSIONS_ENDED = "sign_in.sessions_ended", _("Other sessions ended")
    # What operators change for all accounts.
    PLAN_CREATED = "plan.created", _("Plan created")
    PLAN_EDITED = "plan.edited", _("Plan edited")
    PLAN_DELETED = "plan.deleted", _("Plan deleted")
    PRICE_CREATED = "price.created", _("Price created")
    PRICE_EDITED = "price.edited", _("Price edited")
    PRICE_DELETED = "price.deleted", _("Price deleted")
    SERVICE_CREATED = "service.created", _("Service created")
    SERVICE_EDITED = "service.edited", _("Service edited")
    USER_CREATED = "user.created", _("User created")
    USER_EDITED = "user.edited", _("User edited")
    USER_DELETED = "user.deleted", _("User deleted")


# The kinds of objects that an account's own history may hold, as its filter names them.
KINDS = {
    "key": _("Keys"),
    "member": _("Members"),
    "invitation": _("Invitations"),
    "token": _("Personal tokens"),
    "account": _("The account"),
    "credit": _("Credit"),
    "money": _("Money"),
    "plan_request": _("Requests for a plan"),
    "budget": _("Budget"),
    "sign_in": _("Sign-in"),
    "alerts": _("Alerts"),
}


def action_label(action: str) -> str:
    """In words; an action that is no longer known, in its own."""
    return str(AuditAction(action).label) if action in AuditAction.values else action
