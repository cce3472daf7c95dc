from __future__ import annotations

from django.urls import path

from billing import views

app_name = "billing"

urlpatterns = [
    path("billing", views.overview, name="overview"),
    path("billing/statements/<str:month>", views.statement, name="statement"),
]
