"""The replay of a key's requests: a place of its own, because the keys must not know of usage."""

from __future__ import annotations

from django.urls import path

from stats import replay_views

app_name = "replay"

urlpatterns = [path("keys/<int:key_id>/replay", replay_views.key_replay, name="key")]
