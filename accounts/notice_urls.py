"""The pages of notices: a place of their own, so that the navigation does not take them for the account's."""

from __future__ import annotations

from django.urls import path

from accounts import notice_views

app_name = "notices"

urlpatterns = [
    path("notices", notice_views.notices, name="list"),
    path("notices/bell", notice_views.bell, name="bell"),
    path("notices/read", notice_views.read_all, name="read_all"),
    path("notices/<int:notice_id>/read", notice_views.read, name="read"),
    path("notices/mails", notice_views.mails, name="mails"),
]
