"""The billing pages: the running month with the ledger, and the statement of a closed one."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.selectors import plans
from billing.bills import bill_lines, has_sample, ledger_page, statement_of
from billing.payments.receiving import takes_payments
from billing.plan_offers import plan_offers
from billing.plan_requests import open_request_of
from billing.selectors import credit_overview, price_list, spend_by_service, statements_of
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of


@require_safe
@requires(Permission.SEE_BILLS)
def overview(request: HttpRequest) -> HttpResponse:
    """Credit, spending by service, plan, statements and ledger."""
    account, now = account_or_404(request), utc_now()
    credit = credit_overview(account, now)
    prices, requested = price_list(day_of(now, settings.BILLING_ZONE)), open_request_of(account)
    context = {
        "credit": credit,
        "lines": bill_lines(spend_by_service(account, credit.month), prices),
        "prices": prices,
        "has_sample": has_sample(prices),
        "statements": statements_of(account),
        "plan_request": requested,
        "plan_offers": plan_offers(account, plans(), requested),
        "takes_payments": takes_payments(),
        "ledger": ledger_page(account, request.GET.get("page")),
    }
    return render(request, "billing/overview.html", context)


@require_safe
@requires(Permission.SEE_BILLS)
def statement(request: HttpRequest, month: str) -> HttpResponse:
    """A closed month's bill, on a page that prints well; 404 for a month without one."""
    found = statement_of(account_or_404(request), month)
    if found is None:
        raise Http404("There is no statement of this month.")
    return render(request, "billing/statement.html", {"statement": found, "month": Month.of(found.period_on)})
