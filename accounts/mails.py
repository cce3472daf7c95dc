"""Mails that accounts send, besides allauth's."""

from __future__ import annotations

import logging
from contextlib import nullcontext

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.urls import reverse

from accounts.invitations import Sent
from accounts.languages import in_language_of
from accounts.models import Role, User
from accounts.permissions import PURPOSES

logger = logging.getLogger(__name__)


def mail_invitation(request: HttpRequest, sent: Sent) -> bool:
    """Mails the link, where there is a new one; False where the mail could not be handed over."""
    invitation, token = sent
    if token is None:
        return True
    reader = User.objects.filter(email__iexact=invitation.email).first()
    context = {
        "invitation": invitation,
        "purpose": PURPOSES[Role(invitation.role)],
        "url": request.build_absolute_uri(reverse("accounts:invitation", args=[token])),
    }
    try:
        # Of somebody whom we don't know yet, the best guess is the language of who invites them.
        with in_language_of(reader) if reader else nullcontext():
            get_adapter(request).send_mail("accounts/email/invitation", invitation.email, context)
    except OSError as error:
        # The invitation stands and can be sent again; its author is told. No address and no link in the log.
        logger.error("invitation_not_mailed", extra={"invitation_id": invitation.pk, "error": type(error).__name__})
        return False
    return True
