from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.changes import changes_channel
from accounts.models import Account, Membership, Plan, Role, User
from accounts.registration import EmailTaken, account_register
from accounts.selectors import account_by_email, accounts_of
from accounts.services import account_open, account_rename, account_set_plan
from goongdash.lib.clock import utc_now
from stats.stream import redis_client
from tests.factories import PASSWORD, make_account, owner_of

pytestmark = pytest.mark.django_db


def test_open_makes_one_account_on_the_free_plan_that_the_user_owns() -> None:
    user, before = User.objects.create_user("alice@example.com"), utc_now()
    account = account_open(user=user)
    assert Account.objects.get() == account
    assert (account.name, account.plan.slug, account.is_active) == ("alice", "free", True)
    assert before <= account.created_at <= utc_now()
    assert list(Membership.objects.values_list("account", "user", "role")) == [(account.pk, user.pk, Role.OWNER)]


def test_open_on_a_plan_that_is_not_there_stores_nothing() -> None:
    user = User.objects.create_user("alice@example.com")
    with pytest.raises(Plan.DoesNotExist):
        account_open(user=user, plan="gold")
    assert (Account.objects.count(), Membership.objects.count()) == (0, 0)


def test_register_makes_a_user_who_may_sign_in_at_once() -> None:
    account = account_register(email=" Alice@Example.COM ", password=PASSWORD, name="Alice Maps", plan="pro")
    user = User.objects.get()
    assert (account.name, account.plan.slug, owner_of(account)) == ("Alice Maps", "pro", user)
    assert (user.email, user.is_staff, user.is_superuser) == ("alice@example.com", False, False)
    assert user.check_password(PASSWORD)
    assert list(EmailAddress.objects.values_list("user", "email", "verified", "primary")) == [
        (user.pk, "alice@example.com", True, True)
    ]


def test_register_of_an_address_that_is_taken_stores_nothing(alice: Account) -> None:
    with pytest.raises(EmailTaken):
        account_register(email="ALICE@example.com", password=PASSWORD)
    assert (User.objects.count(), Account.objects.count()) == (1, 1)


def test_password_is_stored_hashed(alice: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT u::text FROM accounts_user u")
        [(row,)] = cursor.fetchall()
    assert PASSWORD not in row


def test_two_addresses_that_differ_in_case_only_cannot_both_be_stored() -> None:
    User.objects.create_user("alice@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="Alice@example.com")])
    assert User.objects.count() == 1


def test_rename_changes_the_name_of_that_account_only(alice: Account, charlie: Account) -> None:
    account_rename(account=alice, name="Bản đồ")
    assert set(Account.objects.values_list("pk", "name")) == {(alice.pk, "Bản đồ"), (charlie.pk, charlie.name)}


def test_new_plan_holds_for_that_account_and_is_told_after_the_commit(
    alice: Account, charlie: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    pubsub = redis_client().pubsub()  # type: ignore[no-untyped-call]
    pubsub.subscribe(changes_channel())
    pubsub.get_message(timeout=5)
    with django_capture_on_commit_callbacks() as waiting:
        account_set_plan(account=alice, plan=Plan.objects.get(slug="business"))
    assert pubsub.get_message(timeout=0.1) is None
    [announce] = waiting
    announce()
    message = pubsub.get_message(timeout=5)
    assert message is not None
    assert message["data"] == f"account:{alice.pk}".encode()
    assert set(Account.objects.values_list("pk", "plan__slug")) == {(alice.pk, "business"), (charlie.pk, "free")}


def test_accounts_of_a_user_are_those_it_is_a_member_of(alice: Account, charlie: Account) -> None:
    assert list(accounts_of(owner_of(alice))) == [alice]
    Membership.objects.create(account=charlie, user=owner_of(alice))
    assert list(accounts_of(alice.members.get())) == [alice, charlie]


def test_account_is_found_by_its_member_s_address_in_any_case() -> None:
    account = make_account("bob@example.com")
    assert account_by_email(" BOB@example.com") == account
    assert account_by_email("nobody@example.com") is None


def test_look_up_by_address_is_answered_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "user_email_once_in_any_case" in User.objects.filter(email__iexact="alice@example.com").explain()
