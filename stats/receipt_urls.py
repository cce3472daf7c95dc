"""The pages of keys that end, deleted or replaced: a place of their own, because the keys must not know of usage."""

from __future__ import annotations

from django.urls import path

from stats import receipt_views, rotation_views

app_name = "receipts"

urlpatterns = [
    path("keys/deleted", receipt_views.deleted_keys, name="deleted"),
    path("keys/<int:key_id>/receipt", receipt_views.receipt, name="receipt"),
    path("keys/<int:key_id>/rotation", rotation_views.rotation, name="rotation"),
]
