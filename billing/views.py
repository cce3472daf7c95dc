"""The billing pages: the running month with the ledger, and the statement of each month."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.access import account_or_404, requires
from accounts.permissions import Permission
from accounts.requests import SiteRequest
from accounts.selectors import plans
from billing.alerts import percents_of
from billing.bills import bill_lines, entry_kind, has_sample, ledger_page, price_rows
from billing.checks import month_check
from billing.models import EntryKind
from billing.payments.receiving import takes_payments
from billing.plan_offers import plan_offers
from billing.plan_requests import open_request_of
from billing.selectors import budget_of, credit_overview, price_list, statements_of
from billing.sheet_files import FILES
from billing.sheets import Sheet, sheet_of
from billing.spending import budget_overview, month_cells, month_spending, spent_of
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, PeriodError, day_of


@require_safe
@requires(Permission.SEE_BILLS)
def overview(request: HttpRequest) -> HttpResponse:
    """Credit, spending by service and day, forecast, budget, plans, prices, statements and ledger."""
    account, now = account_or_404(request), utc_now()
    today, cells = day_of(now, settings.BILLING_ZONE), month_cells(account, now)
    credit = credit_overview(account, now, spent_micro_usd=spent_of(cells, Month.of(today)))
    prices, requested = price_list(today), open_request_of(account)
    spending, kind = month_spending(cells, credit, now), entry_kind(request.GET.get("kind"))
    context = {
        "credit": credit,
        "spending": spending,
        "chart": spending.chart,
        "lines": bill_lines(spending.services, prices),
        "budget": budget_overview(budget_of(account), credit.spent_micro_usd),
        "percents": percents_of(account),
        "prices": price_rows(prices),
        "has_sample": has_sample(prices),
        "statements": statements_of(account),
        "plan_request": requested,
        "plan_offers": plan_offers(account, plans(), requested),
        "takes_payments": takes_payments(),
        "ledger": ledger_page(account, request.GET.get("page"), kind),
        "ledger_kind": kind,
        "ledger_kinds": EntryKind.choices,
    }
    return render(request, "billing/overview.html", context)


@require_safe
@requires(Permission.SEE_BILLS)
def statement(request: HttpRequest, month: str) -> HttpResponse:
    """A month's bill, or its draft, on a page that prints well; 404 where the account had no such month."""
    return render(request, "billing/statement.html", {"sheet": _sheet_or_404(request, month)})


@require_safe
@requires(Permission.SEE_BILLS)
def statement_file(request: HttpRequest, month: str, format: str) -> HttpResponse:
    """The same as a file: `csv` or `pdf`."""
    if format not in FILES:
        raise Http404("There is no such format.")
    sheet, (content_type, write) = _sheet_or_404(request, month), FILES[format]
    name = f'attachment; filename="{sheet.file_name}.{format}"'
    return HttpResponse(write(sheet), content_type=content_type, headers={"Content-Disposition": name})


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.SEE_BILLS)
def check(request: SiteRequest) -> HttpResponse:
    """Whether statistics, ledger and statement of a month are the same: a page, or its mark for other pages."""
    account = account_or_404(request)
    try:
        month = Month.parse(request.GET.get("month", ""))
    except PeriodError:
        raise Http404("There is no such month.") from None
    template = "billing/_check.html" if request.htmx else "billing/check.html"
    return render(request, template, {"check": month_check(account, month)})


def _sheet_or_404(request: HttpRequest, month_text: str) -> Sheet:
    account = account_or_404(request)
    try:
        sheet = sheet_of(account, Month.parse(month_text), utc_now())
    except PeriodError:
        sheet = None
    if sheet is None:
        raise Http404("There is no statement of this month.")
    return sheet
