"""The pages of single requests."""

from __future__ import annotations

from django.urls import path

from stats import request_views

app_name = "requests"

urlpatterns = [
    path("requests", request_views.request_log, name="log"),
    path("requests/find", request_views.find, name="find"),
    path("requests/<uuid:request_id>", request_views.explain, name="explain"),
    path("keys/<int:key_id>/refusals", request_views.key_refusals, name="key_refusals"),
]
