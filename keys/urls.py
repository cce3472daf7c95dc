from __future__ import annotations

from django.urls import path

from keys import deletion_views, dialogs, guard_views, rotation_views, switch_views, views

app_name = "keys"

urlpatterns = [
    path("keys", views.key_list, name="list"),
    path("keys/new", dialogs.key_create_dialog, name="create"),
    path("keys/<int:key_id>", views.key_page, name="key"),
    path("keys/<int:key_id>/edit", dialogs.key_edit_dialog, name="edit"),
    path("keys/<int:key_id>/text", views.key_reveal, name="reveal"),
    path("keys/<int:key_id>/delete", deletion_views.key_delete, name="delete"),
    path("keys/<int:key_id>/undo", deletion_views.key_undo, name="undo"),
    path("keys/<int:key_id>/rotate", rotation_views.key_rotate_dialog, name="rotate"),
    path("keys/<int:key_id>/retire", rotation_views.key_retire_now, name="retire"),
    path("keys/<int:key_id>/cancel-rotation", rotation_views.key_rotation_cancel_now, name="cancel_rotation"),
    path("keys/<int:key_id>/disable", switch_views.key_disable_dialog, name="disable"),
    path("keys/<int:key_id>/enable", switch_views.key_enable_now, name="enable"),
    path("keys/<int:key_id>/block", guard_views.key_block, name="block_origin"),
    path("keys/<int:key_id>/unblock", guard_views.key_unblock, name="unblock_origin"),
    path("keys/<int:key_id>/lift", guard_views.key_lift_dialog, name="lift"),
    path("keys/check-entry", dialogs.check_entry, name="check_entry"),
    path("keys/check-entries", dialogs.check_entries, name="check_entries"),
    path("keys/check-list", dialogs.check_list, name="check_list"),
]
