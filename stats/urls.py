from __future__ import annotations

from django.urls import path

from stats import key_views, views

app_name = "stats"

urlpatterns = [
    path("statistics", views.statistics, name="statistics"),
    path("statistics.<str:format>", views.statistics_export, name="statistics_export"),
    path("statistics/busiest", views.statistics_busiest, name="busiest"),
    path("statistics/keys", views.key_use, name="key_use"),
    path("keys/<int:key_id>/use", key_views.key_usage, name="key_usage"),
    path("keys/<int:key_id>/origins", key_views.key_origins, name="key_origins"),
]
