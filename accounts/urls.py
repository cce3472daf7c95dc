from __future__ import annotations

from django.urls import path

from accounts import history_views, invitation_views, language_views, member_views, token_views, views

app_name = "accounts"

urlpatterns = [
    path("account", views.account, name="account"),
    path("account/security", views.security, name="security"),
    path("account/switch", views.switch, name="switch"),
    path("account/own", views.open_own, name="open_own"),
    path("account/language", language_views.language, name="language"),
    path("account/leave", member_views.leave, name="leave"),
    path("account/invitations", member_views.invite, name="invite"),
    path("account/invitations/<int:invitation_id>/resend", member_views.resend, name="resend"),
    path("account/invitations/<int:invitation_id>/withdraw", member_views.withdraw, name="withdraw"),
    path("account/members/<int:member_id>", member_views.member, name="member"),
    path("account/members/<int:member_id>/role", member_views.set_role, name="set_role"),
    path("account/members/<int:member_id>/remove", member_views.remove, name="remove"),
    path("account/members/<int:member_id>/hand-over", member_views.hand_over, name="hand_over"),
    path("account/tokens", token_views.tokens, name="tokens"),
    path("account/tokens/<int:token_id>/revoke", token_views.token_revoke_view, name="token_revoke"),
    path("account/history", history_views.history, name="history"),
    path("account/history.<str:format>", history_views.history_export, name="history_export"),
    path("invitations/<str:token>", invitation_views.invitation, name="invitation"),
]
