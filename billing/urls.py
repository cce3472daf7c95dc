from __future__ import annotations

from django.urls import path

from billing import limit_views, payment_views, plan_views, views

app_name = "billing"

urlpatterns = [
    path("billing", views.overview, name="overview"),
    path("billing/budget", limit_views.budget, name="budget"),
    path("billing/alerts", limit_views.alerts, name="alerts"),
    path("billing/plans/<slug:slug>", plan_views.plan_request, name="plan_request"),
    path("billing/plan-request/end", plan_views.plan_request_end, name="plan_request_end"),
    path("billing/plan/keep", plan_views.plan_keep, name="plan_keep"),
    path("billing/deposit", payment_views.deposit, name="deposit"),
    path("billing/deposit/paid", payment_views.deposit_paid, name="deposit_paid"),
    path("billing/webhooks/<slug:provider>", payment_views.webhook, name="webhook"),
    path("billing/check", views.check, name="check"),
    path("billing/statements/<str:month>.<str:format>", views.statement_file, name="statement_file"),
    path("billing/statements/<str:month>", views.statement, name="statement"),
]
