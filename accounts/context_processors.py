"""What every template may name besides its own context."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "account": getattr(request, "account", None),
        "BILLING_TIME_ZONE": settings.BILLING_TIME_ZONE,
        "DOCS_URL": settings.DOCS_URL,
        "GATE_PUBLIC_URL": settings.GATE_PUBLIC_URL,
    }
