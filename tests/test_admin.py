"""The operators' pages: every model opens, searches and costs the same queries however long; books are read-only."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts import readonly_admin
from accounts.invitations import invitation_create
from accounts.models import Account, AuditEntry, Invitation, Notice, Plan, Role, TokenScope, User
from accounts.tokens import token_create
from billing.ledger import usage_charge
from billing.models import Check, LedgerEntry, PlanRequest, Price, Statement, StatementLine
from billing.plan_requests import plan_request_make
from billing.statements import month_close
from keys.models import ApiKey, Service
from stats.models import DailyOriginUsage, DailyUsage, HourlyUsage, MinuteUsage, ShardCursor, UsageRecord
from stats.outcomes import Outcome
from tests.billing.books import OCTOBER, old_account, stop_clock
from tests.factories import PASSWORD, T0, make_event, make_key, make_notice
from tests.road import push, store

pytestmark = pytest.mark.django_db

MODELS: list[type[Model]] = sorted(admin.site._registry, key=lambda model: model._meta.label)
LABELS = [model._meta.label for model in MODELS]
# Session and user, the count, the rows, and what each list's filters and dates look up.
N_QUERIES = {
    "account.EmailAddress": 5,
    "accounts.Account": 8,
    "accounts.AuditEntry": 5,
    "accounts.Invitation": 4,
    "accounts.Notice": 5,
    "accounts.PersonalToken": 4,
    "accounts.Plan": 5,
    "accounts.User": 6,
    "auth.Group": 5,
    "billing.Check": 4,
    "billing.LedgerEntry": 6,
    "billing.PlanRequest": 5,
    "billing.Price": 6,
    "billing.Statement": 4,
    "keys.ApiKey": 7,
    "mfa.Authenticator": 4,
    "keys.Service": 5,
    "stats.DailyUsage": 5,
    "stats.DailyOriginUsage": 5,
    "stats.HourlyUsage": 5,
    "stats.MinuteUsage": 5,
    "stats.ShardCursor": 4,
    "stats.UsageRecord": 5,
    "usersessions.UserSession": 4,
}
# They belong to others, and show there or to nobody.
NO_PAGE = {
    "pricetier",
    "budget",
    "alertthresholds",
    "alertcursor",
    "membership",
    "restriction",
    "rotation",
    "keyuse",
    "statementline",
    "noticeread",
    "noticemail",
    "keyorigin",
    "blockedorigin",
}
READ_ONLY: list[type[Model]] = [
    *(UsageRecord, MinuteUsage, HourlyUsage, DailyUsage, DailyOriginUsage, ShardCursor, LedgerEntry, Statement),
    *(AuditEntry, Invitation, Notice, UserSession, PlanRequest, Check),
]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch)


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.com", PASSWORD)


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def fill() -> Account:
    """One row more of everything that has a page, each with relations of its own."""
    account = old_account()
    key = make_key(account, restrictions=["http*://example.com/*"])
    store(
        make_event(key),
        make_event(key, at=T0 - timedelta(days=40)),
        make_event(key, service_id=0, outcome=Outcome.SERVICE_UNKNOWN),
    )
    usage_charge(before=date(2026, 11, 23))
    Check.objects.create(at=T0, holds=True)
    list(month_close(month=OCTOBER, now=T0, account=account))
    plan_request_make(account=account, plan=Plan.objects.get(slug="pro"), note="", by=None)
    token_create(member=account.memberships.get(), name="Monitor", scopes=[TokenScope.USAGE], expires_at=None)
    Group.objects.create(name=str(uuid.uuid4()))
    owner = account.memberships.get()
    invitation_create(by=owner, email=f"{uuid.uuid4()}@example.com", role=Role.VIEWER)
    make_notice(account)
    Authenticator.objects.create(user=owner.user, type=Authenticator.Type.TOTP, data={"secret": "made up"})
    UserSession.objects.create(user=owner.user, ip="203.0.113.7", session_key=str(uuid.uuid4()), user_agent="Browser")
    return account


def page(model: type[Model], name: str = "changelist", *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)


def test_every_model_of_ours_has_a_page() -> None:
    ours = {
        model
        for app in ("accounts", "keys", "stats", "billing")
        for model in apps.get_app_config(app).get_models()
        if model._meta.model_name not in NO_PAGE
    }

    assert ours <= set(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=LABELS)
def test_list_opens_with_as_many_queries_for_many_rows_as_for_few(
    client: Client, model: type[Model], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill()
    with django_assert_num_queries(N_QUERIES[model._meta.label]):
        assert client.get(page(model)).status_code == 200
    for _ in range(3):
        fill()

    with django_assert_num_queries(N_QUERIES[model._meta.label]):
        response = client.get(page(model))

    assert response.status_code == 200
    assert response.context["cl"].result_count == model._default_manager.count()


def test_books_are_counted_no_further_than_one_turns_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readonly_admin, "MAX_COUNTED", 2)
    fill()

    shown = client.get(page(UsageRecord)).context["cl"]

    assert (UsageRecord.objects.count(), shown.result_count) == (3, 2)


@pytest.mark.parametrize("model", MODELS, ids=LABELS)
def test_search_answers_whatever_is_searched(client: Client, model: type[Model]) -> None:
    for query in ("example", "203.0.113.7", "00000000-0000-4000-8000-000000000000", "%_'\"\\", "₫ Đà Nẵng", "a b c"):
        assert client.get(page(model), {"q": query}).status_code == 200, query


@pytest.mark.parametrize(
    ("model", "query_of"),
    [
        (User, lambda account: account.members.get().email),
        (Account, lambda account: account.members.get().email),
        (Account, lambda account: account.name),
        (ApiKey, lambda account: account.keys.get().masked_text),
        (ApiKey, lambda account: account.members.get().email),
        (
            UsageRecord,
            lambda account: str(UsageRecord.objects.filter(account=account, at=T0, outcome=0).get().request_id),
        ),
        (DailyUsage, lambda account: account.keys.get().name),
        (LedgerEntry, lambda account: account.members.get().email),
        (Statement, lambda account: account.statements.get().number),
    ],
)
def test_search_finds_what_belongs_to_one_account_and_nothing_of_others(
    client: Client, model: type[Model], query_of: Callable[[Account], object]
) -> None:
    account, other = fill(), fill()

    found = list(client.get(page(model), {"q": str(query_of(account))}).context["cl"].result_list)

    assert found
    assert not {str(row.pk) for row in found} & {str(row.pk) for row in rows_of(model, other)}


def rows_of(model: type[Model], account: Account) -> list[Model]:
    if model is Account:
        return [account]
    if model is User:
        return list(account.members.all())
    return list(model._default_manager.filter(account=account))


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model._meta.label)
def test_books_are_looked_at_and_never_changed(client: Client, model: type[Model]) -> None:
    fill()
    row = model._default_manager.order_by("pk")[0]
    before = list(model._default_manager.order_by("pk").values())

    assert client.get(page(model, "change", row.pk)).status_code == 200
    assert client.post(page(model, "change", row.pk), {"_save": "Save"}).status_code == 403
    assert client.get(page(model, "add")).status_code == 403
    assert client.post(page(model, "add"), {}).status_code == 403
    assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    client.post(page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.parametrize("model", [Account, ApiKey, Service], ids=lambda model: model._meta.label)
def test_what_usage_hangs_on_cannot_be_deleted(client: Client, model: type[Model]) -> None:
    fill()
    row = model._default_manager.order_by("pk")[0]

    assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    client.post(page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS, ids=LABELS)
def test_row_opens_on_a_page_of_its_own(client: Client, model: type[Model]) -> None:
    fill()
    row = model._default_manager.order_by("pk")[0]

    assert client.get(page(model, "change", row.pk)).status_code == 200


def test_statement_shows_its_lines_and_lets_nobody_edit_them(client: Client) -> None:
    account = fill()
    statement = Statement.objects.get(account=account)

    body = client.get(page(Statement, "change", statement.pk)).content.decode()

    assert "Geocode" in body
    assert 'name="lines-0-amount_micro_usd"' not in body
    assert StatementLine.objects.get().amount_micro_usd == 5_000


def test_operator_holds_a_key_that_its_owner_has_switched_off(client: Client) -> None:
    key = make_key().key
    ApiKey.objects.filter(pk=key.pk).update(disabled_at=T0, disabled_by="member")
    asked = {"action": "disable_keys", "_selected_action": [key.pk]}
    assert "1 keys disabled." in client.post(page(ApiKey), asked, follow=True).content.decode()
    key.refresh_from_db()
    assert key.disabled_by == "operator" and not key.may_be_enabled


def test_selected_keys_are_revoked_and_others_are_not(client: Client) -> None:
    kept, revoked, other = make_key(), make_key(), make_key()

    response = client.post(
        page(ApiKey), {"action": "revoke_keys", "_selected_action": [revoked.key.pk, other.key.pk]}, follow=True
    )

    assert "2 keys revoked." in response.content.decode()
    assert list(ApiKey.objects.filter(revoked_at=None)) == [kept.key]
    again = client.post(page(ApiKey), {"action": "revoke_keys", "_selected_action": [revoked.key.pk]}, follow=True)
    assert "0 keys revoked." in again.content.decode()


def test_key_text_is_nowhere_in_the_admin(client: Client) -> None:
    key = make_key()

    pages = [client.get(page(ApiKey)), client.get(page(ApiKey, "change", key.key.pk))]

    for response in pages:
        assert key.text not in response.content.decode()
        assert key.key.lookup_digest not in response.content.decode()


# What the browser sends of a form inside the form that nobody has touched.
_NO_TIERS = {"tiers-TOTAL_FORMS": "0", "tiers-INITIAL_FORMS": "0"}


def test_price_below_zero_and_second_price_of_a_day_are_refused(client: Client) -> None:
    service = Service.objects.get(slug="geocode")
    n_prices = Price.objects.count()
    fields = {"service": service.pk, "effective_on": "2026-12-01", "is_sample": "on", **_NO_TIERS}

    assert client.post(page(Price, "add"), {**fields, "price_micro_usd": "-1"}).status_code == 200
    assert Price.objects.count() == n_prices
    assert client.post(page(Price, "add"), {**fields, "price_micro_usd": "6000"}).status_code == 302
    assert client.post(page(Price, "add"), {**fields, "price_micro_usd": "7000"}).status_code == 200
    assert Price.objects.get(effective_on=date(2026, 12, 1)).price_micro_usd == 6_000


def test_tiers_of_a_price_are_saved_with_it_recorded_and_ascending(client: Client) -> None:
    service = Service.objects.get(slug="geocode")
    fields = {"service": service.pk, "effective_on": "2026-12-01", "price_micro_usd": "0"}
    tiers = {"tiers-TOTAL_FORMS": "2", "tiers-INITIAL_FORMS": "0", "tiers-0-from_units": "1000"}
    tiers |= {"tiers-0-price_micro_usd": "5000", "tiers-1-price_micro_usd": "4000"}
    for wrong in ("1000", "0", ""):
        answer = client.post(page(Price, "add"), {**fields, **tiers, "tiers-1-from_units": wrong})
        assert answer.status_code == 200
    assert client.post(page(Price, "add"), {**fields, **tiers, "tiers-1-from_units": "9000"}).status_code == 302
    price = Price.objects.get(effective_on=date(2026, 12, 1))
    assert list(price.tiers.values_list("from_units", "price_micro_usd")) == [(1_000, 5_000), (9_000, 4_000)]
    changes = [entry.changes for entry in AuditEntry.objects.filter(object_kind="price").order_by("id")]
    assert changes[-1] == {"tiers": [[], ["from 1000: 5000 µUSD", "from 9000: 4000 µUSD"]]}


def test_gates_hear_of_deleted_prices(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("billing.admin.announce_catalogue_change", lambda: told.append("catalogue"))
    one, *more = Price.objects.all()[:3]

    client.post(page(Price, "delete", one.pk), {"post": "yes"})
    selected = {"action": "delete_selected", "_selected_action": [price.pk for price in more], "post": "yes"}
    client.post(page(Price), selected)

    assert told == ["catalogue", "catalogue"]
    assert not Price.objects.filter(pk__in=[one.pk, *(price.pk for price in more)]).exists()


def test_waiting_events_do_not_show_before_they_are_stored(client: Client) -> None:
    push(make_event(make_key()))

    assert client.get(page(UsageRecord)).context["cl"].result_count == 0
