"""Statements written before lines had prices keep their sums, and get lines that add up to them."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from billing.ledger import entry_post
from billing.models import EntryKind, LedgerEntry, Statement
from keys.models import Service
from tests.billing.books import OCTOBER, old_account
from tests.factories import T0

BEFORE = [("billing", "0006_price_tiers")]


def test_lines_of_before_are_completed(live: None) -> None:
    account = old_account()
    entry_post(account=account, month=OCTOBER, kind=EntryKind.MONTHLY_CREDIT, amount_micro_usd=60)
    LedgerEntry.objects.create(
        account=account,
        period_on=OCTOBER.first_day,
        kind=EntryKind.LATE_USAGE,
        source="2026-09-05#2",
        usage_on=date(2026, 9, 5),
        amount_micro_usd=-7,
        created_at=T0,
    )
    services = {slug: Service.objects.get(slug=slug).pk for slug in ("geocode", "trip")}
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("billing")
    old = MigrationExecutor(connection).migrate(BEFORE).apps
    try:
        statement = old.get_model("billing", "Statement").objects.create(
            account_id=account.pk,
            period_on=OCTOBER.first_day,
            number="x",
            gross_micro_usd=110,
            credit_micro_usd=60,
            net_micro_usd=50,
            closed_at=T0,
        )
        for slug, amount in (("geocode", 40), ("trip", 60)):
            old.get_model("billing", "StatementLine").objects.create(
                statement=statement, service_id=services[slug], units=1, amount_micro_usd=amount
            )
    finally:
        MigrationExecutor(connection).migrate(newest)

    lines = Statement.objects.get().lines.values_list(
        "position", "kind", "service__slug", "first_on", "amount_micro_usd", "credit_micro_usd", "net_micro_usd"
    )
    october, september = date(2026, 10, 1), date(2026, 9, 1)
    assert list(lines) == [
        (1, "usage", "geocode", october, 40, 40, 0),
        (2, "usage", "trip", october, 60, 20, 40),
        (3, "difference", None, october, 3, 0, 3),
        (4, "late", None, september, 7, 0, 7),
    ]
