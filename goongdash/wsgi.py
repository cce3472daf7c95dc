"""The dashboard as a WSGI application."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from goongdash.lib.garbage import collect_seldom

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "goongdash.settings")

application = get_wsgi_application()
collect_seldom()
