"""Caps that customers set themselves, by real requests to running gates: exact, and each refusal says whose it is."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date

import pytest
from django.conf import settings

from accounts.models import Plan
from billing.budgets import budget_set
from billing.models import Price
from keys.limits import KeyLimits
from keys.models import Service, Unit
from stats.ingest import ingest_all
from stats.models import UsageRecord
from stats.outcomes import OUTCOMES, Outcome
from tests.factories import make_account, make_key
from tests.gate.test_limits import ALLOWED, flood
from tests.gate.test_outcomes import MODES, account_on, ask, assert_refused, recorded, wait_for_announcement
from tests.processes import SESSION_PREFIX, GateProcess, running_gate


@pytest.mark.parametrize("mode", MODES)
def test_key_s_own_month_binds_that_key_alone_and_is_told(gate: GateProcess, mode: str) -> None:
    account = account_on(requests_per_month=9, credit_micro_usd=10**9)
    key, other = make_key(account, limits=KeyLimits(requests_per_month=2)), make_key(account)
    answers = [ask(gate, mode, f"/Geocode?address=x&api_key={key.text}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_refused(answers[2], 429, "MONTHLY_QUOTA")
    assert answers[2].json()["message"] == "The monthly limit of this key, 2, is used up."
    assert answers[0].headers["RateLimit-Policy"].endswith(', "month";q=9, "key-month";q=2')
    left = [answer.headers["RateLimit"].split(", ")[1:] for answer in answers]
    assert [[part.split(";t=")[0] for part in parts] for parts in left] == [
        ['"month";r=8', '"key-month";r=1'],
        ['"month";r=7', '"key-month";r=0'],
        ['"month";r=7', '"key-month";r=0'],
    ]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 31 * 86_400
    assert ask(gate, mode, f"/Geocode?address=x&api_key={other.text}").status_code == 200


@pytest.mark.parametrize("mode", MODES)
def test_very_request_that_would_pass_a_key_s_spend_cap_is_refused(gate: GateProcess, mode: str) -> None:
    account = account_on(credit_micro_usd=10**9)
    key, other = make_key(account, limits=KeyLimits(spend_cap_micro_usd=12_000)), make_key(account)
    answers = [ask(gate, mode, f"/Geocode?address=x&api_key={key.text}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_refused(answers[2], 429, "BUDGET_EXHAUSTED")
    assert "this key" in answers[2].json()["message"]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 31 * 86_400
    assert ask(gate, mode, f"/Geocode?address=x&api_key={other.text}").status_code == 200
    assert recorded() == [("allowed", 1, 5_000)] * 2 + [("key_budget", 0, 0), ("allowed", 1, 5_000)]


@pytest.mark.parametrize("mode", MODES)
def test_budget_of_the_account_holds_over_all_keys_and_a_change_of_it_at_once(gate: GateProcess, mode: str) -> None:
    account = account_on(credit_micro_usd=10**9)
    first, second = make_key(account), make_key(account)
    budget_set(account=account, amount_micro_usd=12_000)
    keys = (first, second, first, second)
    answers = [ask(gate, mode, f"/Geocode?address=x&api_key={key.text}") for key in keys]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert_refused(answers[2], 429, "BUDGET_EXHAUSTED")
    assert "budget that the account has set itself" in answers[2].json()["message"]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 31 * 86_400
    for amount, status in ((15_000, 200), (None, 200), (0, 429)):
        budget_set(account=account, amount_micro_usd=amount)
        wait_for_announcement()
        assert ask(gate, mode, f"/Geocode?address=x&api_key={first.text}").status_code == status
    assert recorded()[2] == ("account_budget", 0, 0)


def test_cap_of_a_key_and_budget_of_an_account_are_not_overspent_by_several_gates_at_once(gate: GateProcess) -> None:
    Plan.objects.create(slug="rich", name="Rich", rate_limit=1_000, credit_micro_usd=10**9)
    account = make_account(plan="rich")
    budget_set(account=account, amount_micro_usd=1_003_000)
    capped, month, free = (
        make_key(account, limits=limits)
        for limits in (KeyLimits(spend_cap_micro_usd=301_000), KeyLimits(requests_per_month=70), KeyLimits())
    )
    with running_gate(redis_prefix=SESSION_PREFIX, TRUSTED_PROXIES="127.0.0.1") as second:
        for key, n_passing in ((capped, 60), (month, 70), (free, 70)):
            path = f"/geocode?address=x&api_key={key.text}"
            counted = asyncio.run(flood([gate.base_url, second.base_url], path, ["198.51.100.1"] * 100))
            assert counted == {200: n_passing, 429: 100 - n_passing}
    ingest_all()
    outcomes = Counter(UsageRecord.objects.values_list("outcome", flat=True))
    assert outcomes == {
        ALLOWED: 200,
        OUTCOMES[Outcome.KEY_BUDGET].number: 40,
        OUTCOMES[Outcome.MONTHLY_QUOTA].number: 30,
        OUTCOMES[Outcome.ACCOUNT_BUDGET].number: 30,
    }
    assert sum(UsageRecord.objects.values_list("cost_micro_usd", flat=True)) == 1_000_000


def test_price_by_tiers_is_charged_by_the_account_s_volume_whichever_gate_counts(live: None) -> None:
    geocode, matrix = (Service.objects.get(slug=slug) for slug in ("geocode", "distance-matrix"))
    Service.objects.filter(pk=matrix.pk).update(unit=Unit.ELEMENT)
    for service, tiers in ((geocode, ((0, 0), (2, 5_000), (4, 4_000))), (matrix, ((0, 100), (5, 10)))):
        price = Price.objects.create(service=service, price_micro_usd=tiers[0][1], effective_on=date(2020, 1, 2))
        for start, amount in tiers[1:]:
            price.tiers.create(from_units=start, price_micro_usd=amount)
    account = account_on(credit_micro_usd=10**9)
    keys = [make_key(account), make_key(account)]
    prefix = settings.REDIS_PREFIX
    with running_gate(redis_prefix=prefix) as first, running_gate(redis_prefix=prefix) as second:
        for n in range(6):
            (first, second)[n % 2].get(f"/geocode?address=x&api_key={keys[n // 3].text}")
        for n in range(2):
            (first, second)[n].get(f"/distancematrix?origins=1,2|3,4&destinations=5,6%7C7,8&api_key={keys[n].text}")
    assert recorded() == [
        *(("allowed", 1, cost) for cost in (0, 0, 5_000, 5_000, 4_000, 4_000)),
        ("allowed", 4, 400),
        ("allowed", 4, 130),
    ]
