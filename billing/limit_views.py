"""The dialogs in which an account limits itself: its budget of a month, and when it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import account_or_404, requires
from accounts.figures import usd
from accounts.models import Account
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from billing.alerts import percents_of, percents_set
from billing.budgets import budget_set
from billing.forms import AlertsForm, BudgetForm
from billing.selectors import budget_of, credit_overview
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_BILLING)
def budget(request: SiteRequest) -> HttpResponse:
    """The account's own budget: set, changed, or taken away by an empty field."""
    account = account_or_404(request)
    found = budget_of(account)
    initial = {"amount": format_usd(found.amount_micro_usd).lstrip("$") if found else ""}
    form = BudgetForm(request.POST if request.method == "POST" else None, initial=initial)
    return _answer(request, "billing/_budget_dialog.html", form, lambda: _set_budget(request, account, form))


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_BILLING)
def alerts(request: SiteRequest) -> HttpResponse:
    """At which percents the account is told."""
    account = account_or_404(request)
    initial = {"percents": ", ".join(map(str, percents_of(account)))}
    form = AlertsForm(request.POST if request.method == "POST" else None, initial=initial)
    return _answer(request, "billing/_alerts_dialog.html", form, lambda: _set_alerts(request, account, form))


def _answer(request: SiteRequest, template: str, form: forms.Form, save: Callable[[], Any]) -> HttpResponse:
    if form.is_valid():
        save()
        return _to_limits(request)
    status = 422 if form.is_bound else 200
    return render(request, template, {"form": form}, status=status) if request.htmx else _to_limits(request)


def _set_budget(request: HttpRequest, account: Account, form: forms.Form) -> None:
    amount: int | None = form.cleaned_data["amount"]
    is_new = budget_set(account=account, amount_micro_usd=amount)
    spent = credit_overview(account, utc_now()).spent_micro_usd
    if amount is not None and spent >= amount:
        text = _("The budget is %(amount)s, and this month has come to %(spent)s: what costs something is refused now.")
        messages.warning(request, text % {"amount": usd(amount), "spent": usd(spent)})
    elif is_new and amount is None:
        messages.success(request, _("There is no budget of your own any more."))
    elif is_new and amount is not None:
        messages.success(request, _("The budget is %(amount)s a month.") % {"amount": usd(amount)})


def _set_alerts(request: HttpRequest, account: Account, form: forms.Form) -> None:
    if percents_set(account=account, percents=form.cleaned_data["percents"]):
        messages.success(request, _("The alerts are saved."))


def _to_limits(request: HttpRequest) -> HttpResponse:
    # Anew, and where the reader was: a browser that is sent to a part of the page it shows fetches nothing.
    if request.headers.get("HX-Request"):
        return HttpResponseClientRefresh()
    return redirect(reverse("billing:overview") + "#budget")
