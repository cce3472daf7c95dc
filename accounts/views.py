"""The account page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import account_or_404
from accounts.forms import AccountForm
from accounts.plan_rows import plan_row
from accounts.selectors import memberships_of, plans
from accounts.services import account_rename


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name, plan and members of the account; the name can be changed."""
    current = account_or_404(request)
    form = AccountForm(request.POST if request.method == "POST" else None, initial={"name": current.name})
    if form.is_valid():
        account_rename(account=current, name=form.cleaned_data["name"])
        messages.success(request, "The account’s name is saved.")
        return redirect("accounts:account")
    context = {
        "form": form,
        "plan": plan_row(current.plan, is_current=True),
        "plan_rows": [plan_row(plan, is_current=plan.pk == current.plan_id) for plan in plans()],
        "memberships": memberships_of(current),
    }
    return render(request, "accounts/account.html", context, status=400 if form.errors else 200)
