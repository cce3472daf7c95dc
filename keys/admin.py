"""Operators' view of keys and services. Keys are revoked, never deleted, and their text is never shown here."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.audit_actions import ActorKind
from accounts.audited_admin import AuditedAdmin
from accounts.changes import announce_catalogue_change, announce_key_change, announce_key_end
from goongdash.lib.clock import utc_now
from keys.models import ApiKey, Restriction, Rotation, Service
from keys.services import key_revoke
from keys.switching import key_disable


class RestrictionInline(admin.TabularInline):  # type: ignore[type-arg]
    """To be looked at: a customer's list is the customer's."""

    model = Restriction
    extra = 0
    can_delete = False
    readonly_fields = ("kind", "text")
    fields = ("kind", "text")

    def has_add_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(AuditedAdmin):
    audit_kind = "key"
    list_display = ("name", "masked_text", "type", "account", "state", "created_at", "expires_at")
    list_filter = ("type", "restrictions_mode", "created_at", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("account",)
    search_fields = ("name", "masked_text", "account__name", "account__members__email")
    date_hierarchy = "created_at"
    # The services too: the form would offer those of the other type as well.
    readonly_fields = (
        *("account", "type", "masked_text", "services", "lineage", "replaced_by"),
        *("created_at", "created_by", "disabled_by", "revoked_at"),
    )
    inlines = (RestrictionInline,)
    actions = ("disable_keys", "revoke_keys")

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        return str(key.state_at(utc_now()).label)

    @admin.display(description="replaced by")
    def replaced_by(self, key: ApiKey) -> str:
        rotation = Rotation.objects.filter(old=key).select_related("new").first()
        return "–" if rotation is None else f"{rotation.new}, since {rotation.started_at:%Y-%m-%d %H:%M} UTC"

    @admin.action(description="Disable the selected keys; owners can’t enable them", permissions=["change"])
    def disable_keys(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        n_disabled = sum(key_disable(key=key) for key in queryset.filter(revoked_at=None))
        self.message_user(request, f"{n_disabled} keys disabled.", messages.SUCCESS)

    @admin.action(description="Revoke the selected keys at once", permissions=["change"])
    def revoke_keys(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        n_revoked = sum(key_revoke(key=key) for key in queryset)
        self.message_user(request, f"{n_revoked} keys revoked.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: bool) -> None:
        if "disabled_at" in form.changed_data:
            obj.disabled_by = "" if obj.disabled_at is None else ActorKind.OPERATOR
        obj.version += 1  # Who edits the key on the customer's page is told that it has changed.
        super().save_model(request, obj, form, change)
        is_ended = "disabled_at" in form.changed_data and obj.disabled_at is not None
        announce = announce_key_end if is_ended else announce_key_change
        announce(obj.lookup_digest)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False


@admin.register(Service)
class ServiceAdmin(AuditedAdmin):
    audit_kind = "service"
    list_display = ("name", "api_version", "slug", "path", "key_type", "unit", "session_role", "is_active")
    list_filter = ("key_type", "unit", "session_role", "is_active")
    search_fields = ("name", "slug", "path")

    def save_model(self, request: HttpRequest, obj: Service, form: ModelForm[Service], change: bool) -> None:
        super().save_model(request, obj, form, change)
        announce_catalogue_change()

    def has_delete_permission(self, request: HttpRequest, obj: Service | None = None) -> bool:
        return False
