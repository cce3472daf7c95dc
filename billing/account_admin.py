"""The account in the admin, with its money: at a glance, and moved through a page that asks for amount and reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin import AccountAdmin
from accounts.models import Account
from billing.errors import BillingError
from billing.glance import account_glance
from billing.operator_moves import MOVES, Move, money_move
from goongdash.lib.clock import utc_now
from goongdash.lib.money import format_usd

admin.site.unregister(Account)


def picked_ids(request: HttpRequest) -> list[int]:
    """The rows that a page of a list's action is about, as its address names them."""
    named = request.GET.get("ids", "").split(",")[:1_000]
    return [int(text) for text in named if text.isascii() and text.isdigit() and len(text) < 19]


def form_page(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, form: Form, rows: list[object], title: str, says: str
) -> HttpResponse:
    """The page between an action and what it does."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": title,
        "says": says,
        "form": form,
        "rows": rows,
    }
    return TemplateResponse(request, "admin/billing/form_page.html", context, status=422 if form.errors else 200)


@admin.register(Account)
class BilledAccountAdmin(AccountAdmin):
    change_form_template = "admin/billing/account.html"
    actions = tuple(f"pick_{name}" for name in MOVES)

    def has_money_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("billing.add_ledgerentry"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.move_view)
        return [path("money/<slug:name>", view, name="accounts_account_money"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        if account is not None and self.has_view_permission(request, account):
            moves = MOVES.items() if self.has_money_permission(request) else ()
            extra_context = {**(extra_context or {}), "glance": account_glance(account, utc_now()), "moves": moves}
        return super().change_view(request, object_id, form_url, extra_context)

    def move_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Asks for amount, reference and reason, and moves the money of all accounts that were picked, or of none."""
        if not self.has_money_permission(request):
            raise PermissionDenied
        accounts = list(Account.objects.filter(pk__in=picked_ids(request)).select_related("plan", "next_plan"))
        if name not in MOVES or not accounts:
            raise Http404("There is no such move, or no such account.")
        form = MOVES[name].form(request.POST if request.method == "POST" else None)
        if form.is_valid() and self._is_moved(request, MOVES[name], accounts, form):
            only = [account.pk for account in accounts] if len(accounts) == 1 else []
            return redirect(reverse(f"admin:accounts_account_{'change' if only else 'changelist'}", args=only))
        return form_page(self, request, form, list(accounts), MOVES[name].title, MOVES[name].says)

    def _is_moved(self, request: HttpRequest, move: Move, accounts: list[Account], form: Form) -> bool:
        amount = form.cleaned_data["amount"]
        try:
            n_new = money_move(
                move,
                accounts=accounts,
                amount_micro_usd=amount,
                reference=form.cleaned_data["reference"],
                reason=form.cleaned_data["reason"],
            )
        except BillingError as error:
            form.add_error(None, str(error))
            return False
        n_before = len(accounts) - n_new
        if n_new:
            self.message_user(request, f"{move.title}: {format_usd(amount)}, {n_new} written.", messages.SUCCESS)
        if n_before:
            self.message_user(request, f"{n_before} had this reference already; left as it was.", messages.WARNING)
        return True


def _pick(name: str, move: Move) -> None:
    @admin.action(description=f"{move.title} …", permissions=["money"])
    def pick(self: BilledAccountAdmin, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
        return redirect(reverse("admin:accounts_account_money", args=[name]) + f"?ids={ids}")

    setattr(BilledAccountAdmin, f"pick_{name}", pick)


for _name, _move in MOVES.items():
    _pick(_name, _move)
