"""The site's URLs. Each app keeps its own."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from goongdash.api import urls as api_urls
from goongdash.health import healthz

admin.site.site_header = admin.site.site_title = "Goongdash operators"
admin.site.index_title = "Accounts, keys, usage and billing"

# The admin's own sign-in page would let passwords be tried without a limit.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="keys:list"), name="home"),
    path("healthz", login_not_required(healthz), name="healthz"),
    path("admin/", admin.site.urls),
    # Asked for by browsers on pages that name no icon, such as the admin's.
    path("favicon.ico", login_not_required(RedirectView.as_view(url="/static/img/favicon.svg")), name="favicon"),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.notice_urls")),
    path("", include("keys.urls")),
    path("", include("stats.urls")),
    path("", include("stats.request_urls")),
    path("", include("stats.receipt_urls")),
    path("", include("stats.replay_urls")),
    path("", include("billing.urls")),
    path("api/v1/", api_urls),
]
