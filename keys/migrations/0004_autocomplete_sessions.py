"""Searches of one session and its one detail are paid for once, as the reference describes."""

from __future__ import annotations

from django.db import migrations

ROLES = {
    "autocomplete": "search",
    "autocomplete-v2": "search",
    "place-detail": "detail",
    "place-detail-v2": "detail",
}


def set_roles(apps, schema_editor):
    Service = apps.get_model("keys", "Service")
    for slug, role in ROLES.items():
        Service.objects.filter(slug=slug).update(session_role=role)


class Migration(migrations.Migration):
    dependencies = [("keys", "0003_service_session_role")]
    operations = [migrations.RunPython(set_roles, migrations.RunPython.noop)]
