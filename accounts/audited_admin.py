"""An admin page whose changes are in the audit log, as the operator's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField, ModelForm, ModelMultipleChoiceField
from django.http import HttpRequest

from accounts.audit import audit
from accounts.audit_actions import AuditAction
from accounts.models import Account

_NOT_SHOWN = {"password", "password1", "password2", "usable_password"}


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Records what the form changed, in the same transaction. A subclass names the kind, as actions begin."""

    audit_kind: str

    def account_of(self, obj: Any) -> Account | None:
        """In whose history the change is told; None: in the operators' only."""
        return getattr(obj, "account", None)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        fields = [name for name in form.changed_data if name not in _NOT_SHOWN]
        changes = {name: (_before(form, name) if change else None, form.cleaned_data.get(name)) for name in fields}
        if not change or form.changed_data:
            self._record("edited" if change else "created", obj, changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._record("deleted", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self._record("deleted", obj)
        super().delete_queryset(request, queryset)

    def _record(self, what: str, obj: Model, changes: dict[str, tuple[object, object]] | None = None) -> None:
        action = AuditAction(f"{self.audit_kind}.{what}")
        audit(action, account=self.account_of(obj), on=obj, name=getattr(obj, "name", ""), changes=changes)


def _before(form: ModelForm[Any], name: str) -> object:
    """The field's value before, as the form's cleaned data would have it."""
    value, field = form.initial.get(name), form.fields[name]
    if isinstance(field, ModelChoiceField) and not isinstance(field, ModelMultipleChoiceField):
        return field.queryset.filter(pk=value).first() if field.queryset is not None else None
    return value
