from __future__ import annotations

from django.urls import path

from keys import views

app_name = "keys"

urlpatterns = [
    path("keys", views.key_list, name="list"),
    path("keys/new", views.key_create_dialog, name="create"),
    path("keys/<int:key_id>/text", views.key_reveal, name="reveal"),
    path("keys/<int:key_id>/delete", views.key_delete, name="delete"),
    path("keys/check-entry", views.check_entry, name="check_entry"),
    path("keys/check-entries", views.check_entries, name="check_entries"),
]
