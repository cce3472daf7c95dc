"""Operators' view of users, accounts and plans."""

from __future__ import annotations

from typing import Any

# These two are imported for what they register, so that it can be replaced below.
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.audit import audit, audit_person
from accounts.audit_actions import AuditAction
from accounts.audited_admin import AuditedAdmin
from accounts.changes import announce_account_change, announce_catalogue_change
from accounts.models import Account, AuditEntry, Invitation, Membership, Notice, PersonalToken, Plan, User
from accounts.readonly_admin import ReadOnlyAdmin
from accounts.tokens import token_revoke

for model in (Authenticator, UserSession):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    audit_kind = "user"
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
class AccountAdmin(AuditedAdmin):
    audit_kind = "account"
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

    def account_of(self, obj: Account) -> Account:
        return obj

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for member in formset.new_objects:
            _record(AuditAction.MEMBER_JOINED, member, None, member.role)
        for member, _ in formset.changed_objects:
            before = next(f.initial.get("role") for f in formset.forms if f.instance.pk == member.pk)
            _record(AuditAction.MEMBER_ROLE_CHANGED, member, before, member.role)
        for member in formset.deleted_objects:
            _record(AuditAction.MEMBER_REMOVED, member, member.role, None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(AuditedAdmin):
    audit_kind = "plan"
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


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "account", "actor_name", "actor_kind", "action", "object_name", "object_id")
    list_filter = ("actor_kind", "object_kind", "at")
    list_select_related = ("account",)
    search_fields = ("actor_name", "object_name", "account__name")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "account", "role", "invited_by", "sent_at", "expires_at", "accepted_at", "withdrawn_at")
    list_filter = ("role", "sent_at")
    list_select_related = ("account", "invited_by")
    search_fields = ("email", "account__name")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "account", "kind", "source", "permission", "mailed_at")
    list_filter = ("kind", "created_at")
    list_select_related = ("account",)
    search_fields = ("source", "account__name")


@admin.register(PersonalToken)
class PersonalTokenAdmin(ReadOnlyAdmin):
    """What programs read in members' names: never the tokens' texts. Deleting one revokes it."""

    list_display = ("name", "ending", "membership", "scopes", "created_at", "expires_at", "used_at")
    list_filter = ("created_at",)
    list_select_related = ("membership__user", "membership__account")
    search_fields = ("name", "membership__user__email", "membership__account__name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.has_perm("accounts.delete_personaltoken"))

    def delete_model(self, request: HttpRequest, obj: PersonalToken) -> None:
        token_revoke(token=obj)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors: never what they are made of. Deleting one lets somebody in who has lost their phone."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.has_perm("mfa.delete_authenticator"))

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        action = AuditAction.TOTP_REMOVED if obj.type == Authenticator.Type.TOTP else AuditAction.PASSKEY_REMOVED
        if obj.type != Authenticator.Type.RECOVERY_CODES:
            audit_person(action, obj.user)
        super().delete_model(request, obj)


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at", "ip", "user_agent")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")
    fields = ("user", "created_at", "ip", "user_agent")


def _record(action: AuditAction, member: Membership, old: str | None, new: str | None) -> None:
    audit(action, account=member.account, on=member.user, name=member.user.email, changes={"role": (old, new)})
