"""Operators' view of prices, ledger and statements, and the granting of credit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.admin import AccountAdmin
from accounts.audited_admin import AuditedAdmin
from accounts.changes import announce_catalogue_change
from accounts.models import Account
from accounts.readonly_admin import ReadOnlyAdmin
from billing.errors import PlanRequestError
from billing.ledger import credit_grant
from billing.models import LedgerEntry, PlanRequest, Price, PriceTier, Statement, StatementLine
from billing.plan_requests import plan_request_approve, plan_request_decline
from goongdash.lib.money import MICRO_PER_USD, format_usd

GRANT_MICRO_USD = 10 * MICRO_PER_USD


class PriceTierInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PriceTier
    extra = 0
    max_num = 50
    verbose_name_plural = "tiers: from a volume of the month on, another price"


@admin.register(Price)
class PriceAdmin(AuditedAdmin):
    audit_kind = "price"
    inlines = (PriceTierInline,)
    list_display = ("service", "price_micro_usd", "effective_on", "is_sample")
    list_filter = ("is_sample", "service", "effective_on")
    list_select_related = ("service",)
    search_fields = ("service__name", "service__slug")

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

    @admin.display(description="amount", ordering="amount_micro_usd")
    def amount(self, entry: LedgerEntry) -> str:
        return format_usd(entry.amount_micro_usd)


class StatementLineInline(admin.TabularInline):  # type: ignore[type-arg]
    model = StatementLine
    extra = 0
    can_delete = False


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    list_display = ("number", "account", "period_on", "gross", "credit", "net", "closed_at")
    list_filter = ("period_on",)
    list_select_related = ("account",)
    search_fields = ("number", "account__name")
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

    @admin.action(description="Approve: a higher plan begins at once, a lower one next month", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[PlanRequest]) -> None:
        self._decide(request, queryset, plan_request_approve)

    @admin.action(description="Decline", permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: QuerySet[PlanRequest]) -> None:
        self._decide(request, queryset, partial(plan_request_decline, answer="Declined by an operator"))

    def _decide(self, request: HttpRequest, queryset: QuerySet[PlanRequest], decide: Callable[..., object]) -> None:
        for each in queryset:
            try:
                decide(request=each)
            except PlanRequestError as error:
                self.message_user(request, f"{each}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{each}: done.", messages.SUCCESS)


@admin.action(description="Grant $10 of credit to the selected accounts", permissions=["change"])
def grant_credit(admin_page: AccountAdmin, request: HttpRequest, queryset: QuerySet[Account]) -> None:
    """Lasting credit, with the operator named as its author."""
    source = f"admin:{uuid.uuid4()}"
    for account in queryset:
        credit_grant(
            account=account,
            amount_micro_usd=GRANT_MICRO_USD,
            reason=f"Granted by {request.user}"[:200],
            source=source,
        )
    amount = format_usd(GRANT_MICRO_USD)
    admin_page.message_user(request, f"{amount} granted to {len(queryset)} accounts.", messages.SUCCESS)


# Accounts are listed by an app that must not know billing; the action is hung on from above.
AccountAdmin.actions = (grant_credit,)  # type: ignore[misc]
