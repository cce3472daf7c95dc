"""Mails that accounts send, besides allauth's."""

from __future__ import annotations

import logging

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.urls import reverse

from accounts.invitations import Sent
from accounts.models import Role
from accounts.permissions import PURPOSES

logger = logging.getLogger(__name__)


def mail_invitation(request: HttpRequest, sent: Sent) -> bool:
    """Mails the link, where there is a new one; False where the mail could not be handed over."""
    invitation, token = sent
    if token is None:
        return True
    context = {
        "invitation": invitation,
        "purpose": PURPOSES[Role(invitation.role)],
        "url": request.build_absolute_uri(reverse("accounts:invitation", args=[token])),
    }
    try:
        get_adapter(request).send_mail("accounts/email/invitation", invitation.email, context)
    except OSError as error:
        # The invitation stands and can be sent again; its author is told. No address and no link in the log.
        logger.error("invitation_not_mailed", extra={"invitation_id": invitation.pk, "error": type(error).__name__})
        return False
    return True
