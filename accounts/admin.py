"""Operators' view of users, accounts and plans."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.changes import announce_account_change, announce_catalogue_change
from accounts.models import Account, Membership, Plan, User


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "date_joined")
    ordering = ("email",)
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "id", "plan", "n_keys", "n_members", "is_active", "created_at")
    list_filter = ("plan", "is_active", "created_at")
    list_select_related = ("plan",)
    search_fields = ("name", "members__email")
    readonly_fields = ("created_at",)
    date_hierarchy = "created_at"
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        counts = {
            "n_keys_": Count("keys", distinct=True),
            "n_members_": Count("memberships", distinct=True),
        }
        accounts: QuerySet[Account] = super().get_queryset(request).annotate(**counts)
        return accounts

    @admin.display(description="keys", ordering="n_keys_")
    def n_keys(self, account: Any) -> int:
        return int(account.n_keys_)

    @admin.display(description="members", ordering="n_members_")
    def n_members(self, account: Any) -> int:
        return int(account.n_members_)

    def save_model(self, request: HttpRequest, obj: Account, form: ModelForm[Account], change: bool) -> None:
        super().save_model(request, obj, form, change)
        announce_account_change(obj.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "name",
        "requests_per_day",
        "requests_per_month",
        "map_loads_per_month",
        "rate_limit",
        "rate_window_s",
        "credit_micro_usd",
    )
    search_fields = ("name", "slug")
    list_filter = ("credit_period",)

    def save_model(self, request: HttpRequest, obj: Plan, form: ModelForm[Plan], change: bool) -> None:
        super().save_model(request, obj, form, change)
        announce_catalogue_change()
