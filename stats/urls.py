from __future__ import annotations

from django.urls import path

from stats import views

app_name = "stats"

urlpatterns = [
    path("statistics", views.statistics, name="statistics"),
    path("statistics/keys", views.key_use, name="key_use"),
]
