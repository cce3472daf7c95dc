from __future__ import annotations

from django.urls import path

from bench.peers.drf.views import Auth

urlpatterns = [path("_gate/auth", Auth.as_view())]
