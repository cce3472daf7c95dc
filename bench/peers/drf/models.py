"""A key as the package keeps it (found by its prefix, checked by its hash), and what it is restricted to."""

from __future__ import annotations

from django.db import models
from rest_framework_api_key.models import AbstractAPIKey


class Key(AbstractAPIKey):
    key_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    patterns = models.JSONField()
    requests_per_day = models.BigIntegerField()

    class Meta(AbstractAPIKey.Meta):
        app_label = "drf"
