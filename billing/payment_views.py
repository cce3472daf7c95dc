"""Paying a deposit online, and what the payment provider tells of it."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import account_or_404, requires
from accounts.models import Account
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from billing.errors import PaymentsOff, PaymentUnavailable, WebhookRefused
from billing.forms import DepositForm
from billing.payments.provider import Checkout
from billing.payments.receiving import payment_provider, payment_receive

logger = logging.getLogger(__name__)

WEBHOOK_MAX_BYTES = 262_144


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_BILLING)
def deposit(request: SiteRequest) -> HttpResponse:
    """The dialog that asks how much, and leads to the provider's page; 404 where no payments are taken."""
    account = account_or_404(request)
    form = DepositForm(request.POST if request.method == "POST" else None)
    try:
        provider = payment_provider()
        if form.is_valid():
            return HttpResponseClientRedirect(provider.start(_checkout(request, account, form)))
    except PaymentsOff as error:
        raise Http404(str(error)) from None
    except PaymentUnavailable as error:
        logger.error("payment_not_started", extra={"provider": provider.name, "error": repr(error.__cause__)})
        form.add_error(None, str(error))
    if not request.htmx:
        return redirect("billing:overview")
    return render(request, "billing/_deposit.html", {"form": form}, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD"])
@requires(Permission.SEE_BILLS)
def deposit_paid(request: SiteRequest) -> HttpResponse:
    """Where the provider sends who has paid. What counts is the webhook, which may still be on its way."""
    messages.success(request, _("Thank you. The deposit is added as soon as the payment is confirmed."))
    return redirect("billing:overview")


@csrf_exempt
@require_POST
@login_not_required
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """What the provider tells: 200 when it is written or was before, 400 for what is not from it."""
    try:
        known = payment_provider()
    except PaymentsOff as error:
        raise Http404(str(error)) from None
    if provider != known.name:
        raise Http404("There is no such provider.")
    if int(request.headers.get("Content-Length") or 0) > WEBHOOK_MAX_BYTES:
        return HttpResponse(status=413)
    try:
        event = known.read(request.body, request.headers)
        is_new = event is not None and payment_receive(event, known.name)
    except WebhookRefused as error:
        logger.error("webhook_refused", extra={"provider": provider, "error": str(error)})
        return HttpResponse(status=400)
    logger.info("webhook_received", extra={"provider": provider, "is_new": is_new})
    return HttpResponse(status=200)


def _checkout(request: SiteRequest, account: Account, form: DepositForm) -> Checkout:
    return Checkout(
        account_id=account.pk,
        email=request.user.email,
        amount_micro_usd=form.cleaned_data["amount"],
        token=str(form.cleaned_data["token"]),
        success_url=request.build_absolute_uri("/billing/deposit/paid"),
        cancel_url=request.build_absolute_uri("/billing"),
    )
