"""Asking for another plan, and taking that back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import account_or_404, requires
from accounts.models import Plan
from accounts.permissions import Permission
from accounts.plan_rows import plan_row
from accounts.requests import SiteRequest
from accounts.services import account_keep_plan
from billing.errors import PlanRequestError
from billing.forms import PlanRequestForm
from billing.plan_requests import open_request_of, plan_request_make, plan_request_withdraw


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
@requires(Permission.CHANGE_BILLING)
def plan_request(request: SiteRequest, slug: str) -> HttpResponse:
    """The dialog that asks for a plan."""
    account, plan = account_or_404(request), get_object_or_404(Plan, slug=slug)
    form = PlanRequestForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            plan_request_make(account=account, plan=plan, note=form.cleaned_data["note"], by=request.user)
        except PlanRequestError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("We have your request for %(plan)s and will be in touch.") % {"plan": plan})
            return _to_plans(request)
    context = {
        "form": form,
        "plan": plan,
        "row": plan_row(plan),
        "is_lower": plan.position < account.plan.position,
    }
    status = 422 if form.is_bound else 200
    return render(request, "billing/_plan_request.html", context, status=status) if request.htmx else _to_plans(request)


@require_POST
@requires(Permission.CHANGE_BILLING)
def plan_request_end(request: SiteRequest) -> HttpResponse:
    """Takes the open request back."""
    found = open_request_of(account_or_404(request))
    try:
        if found is not None:
            plan_request_withdraw(request=found)
            messages.success(request, _("The request is withdrawn."))
        else:
            messages.info(request, _("There is no open request."))
    except PlanRequestError as error:
        messages.info(request, str(error))
    return _to_plans(request)


@require_POST
@requires(Permission.CHANGE_BILLING)
def plan_keep(request: SiteRequest) -> HttpResponse:
    """Stays on the plan that was to change at the month's end."""
    account = account_or_404(request)
    if account_keep_plan(account=account):
        messages.success(request, _("You stay on %(plan)s.") % {"plan": account.plan})
    return _to_plans(request)


def _to_plans(request: HttpRequest) -> HttpResponse:
    # Anew, and where the reader was: a browser that is sent to a part of the page it shows fetches nothing.
    if request.headers.get("HX-Request"):
        return HttpResponseClientRefresh()
    return redirect(reverse("billing:overview") + "#plans")
