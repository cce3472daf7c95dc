"""Operators' view of prices, ledger and statements, and their answers to requests for plans."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.audited_admin import AuditedAdmin
from accounts.changes import announce_catalogue_change
from accounts.readonly_admin import ReadOnlyAdmin
from billing.account_admin import form_page, picked_ids
from billing.errors import PlanRequestError
from billing.models import Check, LedgerEntry, PlanRequest, Price, PriceTier, Statement, StatementLine
from billing.operator_forms import ApprovalForm, RefusalForm
from billing.plan_requests import plan_request_approve, plan_request_decline
from billing.price_preview import price_preview
from billing.revenue import revenue_overview
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd


class PriceTierInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PriceTier
    extra = 0
    max_num = 50
    verbose_name_plural = "tiers: from a volume of the month on, another price"


@admin.register(Price)
class PriceAdmin(AuditedAdmin):
    audit_kind = "price"
    inlines = (PriceTierInline,)
    list_display = ("service", "first_price", "effective_on", "is_sample")
    list_filter = ("is_sample", "service", "effective_on")
    list_select_related = ("service",)
    search_fields = ("service__name", "service__slug")
    change_form_template = "admin/billing/price.html"

    @admin.display(description="price of a unit", ordering="price_micro_usd")
    def first_price(self, price: Price) -> str:
        return format_usd(price.price_micro_usd)

    def response_add(self, request: HttpRequest, obj: Price, post_url_continue: str | None = None) -> HttpResponse:
        return self._previewed(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Price) -> HttpResponse:
        return self._previewed(request, obj) or super().response_change(request, obj)

    def _previewed(self, request: HttpRequest, obj: Price) -> HttpResponse | None:
        """What the form would do, where that was asked for: it is saved, looked at, and taken back as if never done."""
        if "_preview" not in request.POST:
            return None
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Effect of a price on last month",
            "price": f"{obj.service}: {format_usd(obj.price_micro_usd)} from {obj.effective_on}",
            "preview": price_preview(obj, utc_now()),
            "fields": [(n, value) for n, value in fields if n not in ("_preview", "csrfmiddlewaretoken")],
            "action": request.get_full_path(),
        }
        # The admin's own transaction around the form.
        transaction.set_rollback(True)
        return TemplateResponse(request, "admin/billing/price_preview.html", context)

    def save_model(self, request: HttpRequest, obj: Price, form: ModelForm[Price], change: bool) -> None:
        super().save_model(request, obj, form, change)
        announce_catalogue_change()

    def save_related(self, request: HttpRequest, form: ModelForm[Price], formsets: Any, change: bool) -> None:
        before = _tiers(form.instance)
        super().save_related(request, form, formsets, change)
        after = _tiers(form.instance)
        if before != after:
            self._record("edited", form.instance, {"tiers": (before, after)})

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        super().delete_model(request, obj)
        announce_catalogue_change()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> None:
        super().delete_queryset(request, queryset)
        announce_catalogue_change()


def _tiers(price: Price) -> list[str]:
    return [str(tier) for tier in PriceTier.objects.filter(price=price)]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("period_on", "account", "kind", "amount", "source", "note", "created_at")
    list_filter = ("kind", "period_on")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__members__email", "source", "note")
    date_hierarchy = "period_on"
    change_list_template = "admin/billing/ledger.html"
    fields = ("account", "period_on", "kind", "amount", "usage_on", "source", "note", "author", "created_at")
    readonly_fields = ("amount",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.overview)
        return [path("overview", view, name="billing_overview"), *super().get_urls()]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Revenue and usage of the last twelve months, of all accounts together."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Revenue and usage",
            "revenue": revenue_overview(utc_now()),
        }
        return TemplateResponse(request, "admin/billing/overview.html", context)

    @admin.display(description="amount", ordering="amount_micro_usd")
    def amount(self, entry: LedgerEntry) -> str:
        return format_usd(entry.amount_micro_usd)


class StatementLineInline(admin.TabularInline):  # type: ignore[type-arg]
    model = StatementLine
    extra = 0
    can_delete = False
    fields = ("kind", "service", "days", "from_units", "unit_price", "units", "amount", "credit", "net")
    readonly_fields = ("days", "unit_price", "amount", "credit", "net")

    def has_change_permission(self, request: HttpRequest, obj: Statement | None = None) -> bool:
        return False

    @admin.display(description="days")
    def days(self, line: StatementLine) -> str:
        return f"{line.first_on} – {line.last_on}"

    @admin.display(description="unit price", empty_value="–")
    def unit_price(self, line: StatementLine) -> str | None:
        return None if line.unit_price_micro_usd is None else format_usd(line.unit_price_micro_usd)

    @admin.display(description="gross")
    def amount(self, line: StatementLine) -> str:
        return format_usd(line.amount_micro_usd)

    @admin.display(description="credit")
    def credit(self, line: StatementLine) -> str:
        return format_usd(line.credit_micro_usd)

    @admin.display(description="net")
    def net(self, line: StatementLine) -> str:
        return format_usd(line.net_micro_usd)


@admin.register(Check)
class CheckAdmin(ReadOnlyAdmin):
    """That the books agree, hour by hour; a difference is in the error log as well."""

    list_display = ("at", "holds", "n_differences", "first_difference", "records_from_on")
    list_filter = ("holds", "at")
    search_fields = ("first_difference",)


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = ("number", "account", "period_on", "gross", "credit", "net", "closed_at")
    list_filter = ("period_on",)
    list_select_related = ("account",)
    search_fields = ("number", "account__name")
    fields = ("number", "account", "period_on", "gross", "credit", "net", "closed_at")
    readonly_fields = ("gross", "credit", "net")
    inlines = (StatementLineInline,)

    @admin.display(description="gross", ordering="gross_micro_usd")
    def gross(self, statement: Statement) -> str:
        return format_usd(statement.gross_micro_usd)

    @admin.display(description="credit", ordering="credit_micro_usd")
    def credit(self, statement: Statement) -> str:
        return format_usd(statement.credit_micro_usd)

    @admin.display(description="net", ordering="net_micro_usd")
    def net(self, statement: Statement) -> str:
        return format_usd(statement.net_micro_usd)


@admin.register(PlanRequest)
class PlanRequestAdmin(ReadOnlyAdmin):
    """What customers ask for; decided by the actions, which tell the gate and the ledger."""

    list_display = ("created_at", "account", "current_plan", "plan", "state", "requested_by", "answer", "decided_at")
    list_filter = ("state", "plan")
    list_select_related = ("account__plan", "plan", "requested_by")
    search_fields = ("account__name", "requested_by__email", "note", "answer")
    actions = ("approve", "decline")  # type: ignore[assignment]

    @admin.display(description="plan of today")
    def current_plan(self, request: PlanRequest) -> str:
        return request.account.plan.name

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("billing.change_planrequest"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide_view)
        return [path("decide/<slug:name>", view, name="billing_planrequest_decide"), *super().get_urls()]

    @admin.action(description="Approve …", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[PlanRequest]) -> HttpResponse:
        return _to_decision("approve", queryset)

    @admin.action(description="Decline …", permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: QuerySet[PlanRequest]) -> HttpResponse:
        return _to_decision("decline", queryset)

    def decide_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Asks for the answer to the customers, and decides all requests that were picked."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        picked = PlanRequest.objects.filter(pk__in=picked_ids(request)).select_related("account", "plan")
        if name not in DECISIONS or not picked:
            raise Http404("There is no such decision, or no such request.")
        title, says, form_type, decide = DECISIONS[name]
        form = form_type(request.POST if request.method == "POST" else None)
        if form.is_valid():
            self._decide(request, picked, partial(decide, answer=form.cleaned_data["answer"]))
            return redirect("admin:billing_planrequest_changelist")
        return form_page(self, request, form, list(picked), title, says)

    def _decide(self, request: HttpRequest, queryset: QuerySet[PlanRequest], decide: Callable[..., object]) -> None:
        for each in queryset:
            try:
                decide(request=each)
            except PlanRequestError as error:
                self.message_user(request, f"{each}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{each}: done.", messages.SUCCESS)


_HIGHER_AT_ONCE = "A higher plan begins at once, with its credit; a lower one when the month ends."
DECISIONS: dict[str, tuple[str, str, type[Form], Callable[..., object]]] = {
    "approve": ("Approve requests for plans", _HIGHER_AT_ONCE, ApprovalForm, plan_request_approve),
    "decline": ("Decline requests for plans", "Their plans stay as they are.", RefusalForm, plan_request_decline),
}


def _to_decision(name: str, queryset: QuerySet[PlanRequest]) -> HttpResponse:
    ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
    return redirect(reverse("admin:billing_planrequest_decide", args=[name]) + f"?ids={ids}")
