"""What is said of each outcome, and what is offered."""

from __future__ import annotations

import pytest

from stats.explanations import Limit, Repair, RequestFacts, explanation_of
from stats.outcomes import Outcome


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("is_over", [False, True])
def test_every_outcome_has_its_rule_and_its_advice(outcome: Outcome, is_over: bool) -> None:
    explanation = explanation_of(RequestFacts(outcome=outcome, key_type="rest", is_over=is_over))
    assert explanation.rule and explanation.advice
    assert not (is_over and explanation.repairs)


@pytest.mark.parametrize(
    ("facts", "said", "first"),
    [
        (RequestFacts(Outcome.ORIGIN_NOT_ALLOWED, "rest", origin="https://a.test"), "https://a.test", "allow_origin"),
        (RequestFacts(Outcome.ORIGIN_NOT_ALLOWED, "rest", address="203.0.113.7"), "no web site", "allow_address"),
        (RequestFacts(Outcome.ORIGIN_NOT_ALLOWED, "rest"), "no web site", "edit_restrictions"),
        (RequestFacts(Outcome.KEY_TYPE, "rest", "Map", "tiles"), "Map is opened by map tiles keys", "create_tiles_key"),
        (RequestFacts(Outcome.KEY_TYPE, "tiles", "Geocode v1", "rest"), "opened by API keys", "create_rest_key"),
        (RequestFacts(Outcome.KEY_REVOKED, "tiles"), "deleted", "create_tiles_key"),
        (RequestFacts(Outcome.KEY_EXPIRED, "rest"), "expired", "edit_expiry"),
        (RequestFacts(Outcome.SERVICE_NOT_ALLOWED, "rest", "Trip v1"), "Trip v1 is none of them", "edit_services"),
        (RequestFacts(Outcome.DAILY_QUOTA, "rest", limit=Limit(1_000)), "1,000 requests of that day", "see_plans"),
        (RequestFacts(Outcome.DAILY_QUOTA, "rest", limit=Limit(20, True)), "the key’s own limit", "edit_limits"),
        (RequestFacts(Outcome.RATE_LIMIT, "rest", limit=Limit(5)), "More than 5 requests came within a", "see_plans"),
        (RequestFacts(Outcome.RATE_LIMIT, "rest", limit=Limit(9, window_s=60)), "within 60 seconds", "see_plans"),
        (RequestFacts(Outcome.MONTHLY_QUOTA, "tiles", is_map_load=True, limit=Limit(7)), "7 map loads", "see_plans"),
        (RequestFacts(Outcome.MONTHLY_QUOTA, "rest", limit=Limit(9_000)), "9,000 requests of that month", "see_plans"),
        (RequestFacts(Outcome.CREDIT_EXHAUSTED, "rest"), "credit", "see_bills"),
        (RequestFacts(Outcome.SERVICE_UNKNOWN, "rest"), "No API answers", "read_documentation"),
    ],
)
def test_rule_names_what_bound_and_the_first_repair_is_the_best(facts: RequestFacts, said: str, first: str) -> None:
    explanation = explanation_of(facts)
    assert said in explanation.rule
    assert explanation.repairs[0] is Repair(first)


def test_key_that_is_deleted_is_not_to_be_edited() -> None:
    facts = RequestFacts(Outcome.KEY_EXPIRED, "rest", is_deleted=True)
    assert explanation_of(facts).repairs == (Repair.CREATE_REST_KEY,)
