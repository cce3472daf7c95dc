"""Who gets into the operators' pages, and where they sign in."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Account, User
from billing.models import LedgerEntry
from keys.models import ApiKey
from tests.billing.books import old_account
from tests.factories import PASSWORD, make_key
from tests.test_admin import MODELS, page

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.com", PASSWORD)


@pytest.fixture
def staff() -> Client:
    """Somebody of the staff who may look at accounts and keys, and do nothing."""
    user = User.objects.create_user("staff@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_account", "view_apikey"]))
    client = Client()
    client.force_login(user)
    return client


def test_staff_who_may_only_look_can_neither_grant_nor_revoke(staff: Client) -> None:
    account = old_account()
    key = make_key(account)

    assert staff.get(page(Account)).status_code == staff.get(page(ApiKey)).status_code == 200
    staff.post(page(Account), {"action": "pick_grant", "_selected_action": [account.pk]})
    staff.post(page(ApiKey), {"action": "revoke_keys", "_selected_action": [key.key.pk]})

    assert not LedgerEntry.objects.exists()
    assert ApiKey.objects.get().revoked_at is None


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model not in (Account, ApiKey)], ids=lambda m: m._meta.label
)
def test_staff_without_permission_sees_nothing(staff: Client, model: type[Model]) -> None:
    assert staff.get(page(model)).status_code == 403


def test_anonymous_visitor_is_sent_to_sign_in() -> None:
    for url in (reverse("admin:index"), *map(page, MODELS)):
        response = Client().get(url)

        assert response.status_code == 302
        assert "login" in response["Location"]


def test_operators_sign_in_where_attempts_are_limited_and_come_back(operator: User) -> None:
    client = Client()
    EmailAddress.objects.create(user=operator, email=operator.email, verified=True, primary=True)
    wrong = {"username": operator.email, "password": PASSWORD}
    assert client.post(reverse("admin:login"), wrong)["Location"].startswith("/account/login/")
    assert "_auth_user_id" not in client.session

    response = client.get(reverse("admin:index"), follow=True)
    url, _ = response.redirect_chain[-1]
    assert url.startswith("/account/login/")
    data = {"login": operator.email, "password": PASSWORD, "next": response.context["redirect_field_value"]}

    assert client.post(url, data)["Location"] == reverse("admin:index")


def test_customer_is_no_operator(alice_client: Client) -> None:
    response = alice_client.get(reverse("admin:index"), follow=True)

    assert response.status_code == 403
    assert "This page is not open to your login." in response.content.decode()
