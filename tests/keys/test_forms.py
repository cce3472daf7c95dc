from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account, Plan
from keys.forms import KeyForm
from keys.limits import NO_LIMITS, KeyLimits
from keys.models import ApiKey, Service
from tests.factories import T0, make_key

pytestmark = pytest.mark.django_db

Values = str | list[str] | int


def free_plan() -> Plan:
    return Plan.objects.get(slug="free")


def posted(values: dict[str, Values]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [value])  # type: ignore[list-item]
    return data


def bound(**values: Values) -> KeyForm:
    return KeyForm(posted({"key_type": "rest", "name": "Storefront", **values}), plan=free_plan(), now=T0)


def editing(key: ApiKey, **values: Values) -> KeyForm:
    return KeyForm(posted({"name": key.name, **values}), plan=free_plan(), now=T0, key=key)


def test_form_cleans_to_the_arguments_of_key_create() -> None:
    form = bound(restrictions=["example.com", "203.0.113.7"])
    assert form.is_valid()
    assert form.arguments == {
        "key_type": "rest",
        "name": "Storefront",
        "description": "",
        "restrictions": ["example.com", "203.0.113.7"],
        "restrictions_mode": "enforced",
        "allows_no_origin": False,
        "services": [],
        "limits": NO_LIMITS,
        "expires_at": None,
        "on_spike": "report",
    }


def test_new_form_chooses_a_rest_key_and_lists_nothing() -> None:
    form = KeyForm(plan=free_plan(), now=T0)
    assert form["key_type"].value() == "rest"
    assert form.entries == []
    assert form.errors == {}


def test_limits_money_and_services_are_read_as_they_are_written() -> None:
    geocode = Service.objects.get(slug="geocode")
    form = bound(
        rate_limit="2",
        requests_per_day="1,000",
        requests_per_month="20 000",
        spend_cap_micro_usd="$12.50",
        expires_at="2027-01-31T09:00",
        services=[str(geocode.pk)],
    )
    assert form.errors == {}
    assert form.arguments["limits"] == KeyLimits(2, 1_000, 20_000, 12_500_000)
    assert form.arguments["services"] == [geocode.pk]
    # Nine in Hanoi.
    assert form.arguments["expires_at"] == datetime(2027, 1, 31, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("requests_per_day", "1001", "The plan allows 1,000; a key can have less, not more."),
        ("rate_limit", "6", "The plan allows 5; a key can have less, not more."),
        ("requests_per_month", "0", "A limit is 1 or more. To refuse every request, delete the key."),
        ("requests_per_month", "many", "Write a whole number."),
        ("requests_per_month", "1.5", "Write a whole number."),
        ("spend_cap_micro_usd", "12,50", "Write an amount in dollars, such as 25 or 12.50."),
        ("spend_cap_micro_usd", "0.0000001", "Write an amount in dollars, such as 25 or 12.50."),
        ("spend_cap_micro_usd", "0", "A cap is more than nothing. To refuse every request, delete the key."),
        ("spend_cap_micro_usd", "-5", "A cap is more than nothing. To refuse every request, delete the key."),
        ("expires_at", "tomorrow", "Write a day and a time, such as 2027-01-31 09:00."),
        ("expires_at", "2026-11-23T09:59", "This is past already. To stop the key at once, delete it."),
        ("services", "999999", "One of these services is not there any more."),
    ],
)
def test_limit_that_cannot_be_says_why(field: str, typed: str, message: str) -> None:
    assert bound(**{field: typed}).errors == {field: [message]}


def test_services_of_the_other_type_are_left_out() -> None:
    geocode, map_load = Service.objects.get(slug="geocode"), Service.objects.get(slug="map-load")
    form = bound(key_type="tiles", services=[str(geocode.pk), str(map_load.pk)])
    assert form.is_valid()
    assert form.arguments["services"] == [map_load.pk]


def test_form_offers_no_choice_where_a_type_has_one_service_only() -> None:
    groups = KeyForm(plan=free_plan(), now=T0).service_groups
    assert list(groups) == ["rest"]
    assert len(groups["rest"]) == 14


def test_unlimited_plan_and_limited_one_are_named_in_the_empty_fields() -> None:
    page = str(KeyForm(plan=free_plan(), now=T0)["requests_per_day"])
    assert 'placeholder="1,000, as in the plan"' in page
    unlimited = Plan(**{**Plan.objects.values().get(slug="free"), "requests_per_day": None})
    assert 'placeholder="No limit of its own"' in str(KeyForm(plan=unlimited, now=T0)["requests_per_day"])


# ---- Editing ----


def test_form_of_a_key_shows_what_is_stored_and_finds_nothing_changed(alice: Account) -> None:
    geocode = Service.objects.get(slug="geocode")
    expires_at = T0 + timedelta(days=1, seconds=33)
    key = make_key(
        alice,
        restrictions=["example.com"],
        services=[geocode.pk],
        limits=KeyLimits(2, 100, 1_000, 12_500_000),
        expires_at=expires_at,
    ).key
    form = KeyForm(plan=free_plan(), now=T0, key=key)
    shown = {name: form[name].value() for name in form.fields}
    assert shown["spend_cap_micro_usd"] == "12.50"
    assert 'value="2026-11-24T10:00"' in str(form["expires_at"])  # In Hanoi.
    again = editing(
        key,
        restrictions=["http*://EXAMPLE.com/*"],
        services=[str(geocode.pk)],
        rate_limit="2",
        requests_per_day="100",
        requests_per_month="1000",
        spend_cap_micro_usd="12.5",
        expires_at="2026-11-24T10:00",
    )
    assert again.errors == {}
    assert again.changed_data == []
    assert again.arguments["expires_at"] == expires_at  # With its seconds, which the page does not show.


def test_key_keeps_what_is_past_or_above_the_plan_by_now(alice: Account) -> None:
    key = make_key(alice, limits=KeyLimits(requests_per_day=5_000), expires_at=T0 - timedelta(days=1)).key
    form = editing(key, requests_per_day="5000", expires_at="2026-11-22T10:00")
    assert form.errors == {}
    assert form.arguments["expires_at"] == key.expires_at


def test_service_that_is_closed_by_now_stays_chosen(alice: Account) -> None:
    """Else the key's choice would become empty, which is all services."""
    geocode = Service.objects.get(slug="geocode")
    key = make_key(alice, services=[geocode.pk]).key
    Service.objects.filter(pk=geocode.pk).update(is_active=False)
    form = editing(key, services=[str(geocode.pk)])
    assert form.is_valid()
    assert form.arguments["services"] == [geocode.pk]


def test_lines_are_entries_and_empty_ones_are_left_out() -> None:
    form = bound(restrictions=["a.example.com\r\n\n b.example.com ", "", "  "])
    assert form.is_valid()
    assert form.cleaned_data["restrictions"] == ["a.example.com", "b.example.com"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["a b"], "One entry of the list cannot be used, for the reason shown there."),
        (["a b", "example.com", "c d"], "2 entries of the list cannot be used, for the reason shown there."),
        (["example.com"] * 201, "A key takes at most 200 entries; these are 201."),
    ],
)
def test_list_that_cannot_be_used_says_how_much_of_it(entries: list[str], message: str) -> None:
    form = bound(restrictions=entries)
    assert form.errors == {"restrictions": [message]}
    assert [entry.text for entry in form.entries] == entries


def test_list_as_long_as_allowed_is_taken() -> None:
    assert bound(restrictions=[f"s{n}.example.com" for n in range(200)]).is_valid()


@given(st.lists(st.text()))
def test_any_text_is_taken_or_refused_in_words(entries: list[str]) -> None:
    form = bound(restrictions=entries)
    assert form.is_valid() != bool(form.errors)
    assert all((entry.error is None) == (entry.parsed is not None) for entry in form.entries)


def test_mode_that_is_not_said_is_as_it_was(alice: Account) -> None:
    key = make_key(alice, restrictions_mode="report_only").key
    form = editing(key)
    assert form.errors == {}
    assert (form.arguments["restrictions_mode"], form.changed_data) == ("report_only", [])
    assert form["restrictions_mode"].value() == "report_only"
    assert editing(key, restrictions_mode="enforced").changed_data == ["restrictions_mode"]
    assert "restrictions_mode" in editing(key, restrictions_mode="loud").errors
