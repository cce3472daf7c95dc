"""The billing page of the largest account: server time, with two years of use by a thousand keys and their ledger."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median, quantiles

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Account
from accounts.registration import account_register
from billing.budgets import budget_set
from billing.ledger import usage_charge
from billing.months import months_money
from billing.statements import month_close
from goongdash.lib.clock import utc_now
from goongdash.lib.garbage import collect_seldom
from goongdash.lib.money import MICRO_PER_USD
from goongdash.lib.periods import Month, day_of

N_DAYS, N_KEYS, N_SERVICES = 730, 1_000, 5
ROUNDS = 100
_USE = """
    INSERT INTO stats_dailyusage
        (account_id, day_on, key_id, service_id, outcome, n_requests, units, cost_micro_usd)
    SELECT %s, %s::date + day, key, service.id, 0, 900, 900, 900 * 5000
    FROM generate_series(0, %s) AS day, generate_series(1, %s) AS key,
         (SELECT id FROM keys_service WHERE unit = 'request' ORDER BY position LIMIT %s) AS service
    WHERE (key + day) %% 5 < 3
"""
URLS = {"page": "/billing", "ledger, page 10": "/billing?page=10", "ledger, deposits": "/billing?kind=deposit"}


def measure() -> dict[str, float]:
    """Milliseconds."""
    settings.ALLOWED_HOSTS = ["testserver"]
    collect_seldom()  # As the pages' own processes do.
    account = _account()
    client = Client()
    client.force_login(account.members.get())
    figures: dict[str, float] = {"daily sums of the account": float(N_DAYS * N_KEYS * N_SERVICES * 3 // 5)}
    for name, url in URLS.items():
        times = [_time_ms(client, url) for _ in range(ROUNDS)]
        figures |= {f"{name}, median (ms)": median(times), f"{name}, p95 (ms)": quantiles(times, n=20)[18]}
    return figures


def _time_ms(client: Client, url: str) -> float:
    start = time.perf_counter()
    response = client.get(url)
    taken = (time.perf_counter() - start) * 1_000
    if response.status_code != 200:
        raise AssertionError(f"{url} answered {response.status_code}.")
    return taken


def _account() -> Account:
    account = account_register(email="largest@example.com", password=None, name="Largest")
    now = utc_now()
    today = day_of(now, settings.BILLING_ZONE)
    first = today - timedelta(days=N_DAYS - 1)
    account.created_at = now - timedelta(days=N_DAYS)
    account.save(update_fields=["created_at"])
    with connection.cursor() as cursor:
        cursor.execute(_USE, [account.pk, first, N_DAYS - 1, N_KEYS, N_SERVICES])
        cursor.execute("ANALYZE")
    usage_charge(before=today)
    month = Month.of(first)
    while month < Month.of(today):
        list(month_close(month=month, now=now, account=account))
        month = month.next
    budget_set(account=account, amount_micro_usd=10_000_000 * MICRO_PER_USD)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    months_money(account)
    return account
