"""The audit log: what gets in, in which transaction, as whose; that it stays, and for how long."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.actors import Actor, acting
from accounts.audit import HIDDEN, audit, audit_forget, audit_person
from accounts.audit_actions import KINDS, ActorKind, AuditAction
from accounts.audit_log import audit_of, changes_of
from accounts.models import Account, AuditEntry, Plan, Role, User
from accounts.services import account_rename, account_set_plan
from accounts.tasks import forget_audit
from goongdash.celery import app
from goongdash.lib.clock import utc_now
from keys.models import ApiKey
from keys.services import key_revoke, key_set_restrictions
from tests.factories import PASSWORD, make_account, make_key, make_member, owner_of

pytestmark = pytest.mark.django_db


def newest(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("pk")


def who(entry: AuditEntry) -> tuple[str, str, int | None]:
    return entry.actor_kind, entry.actor_name, entry.actor_id


def old_entry(account: Account, *, days: int) -> AuditEntry:
    [entry] = AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                account=account,
                at=utc_now() - timedelta(days=days),
                actor_kind=ActorKind.SYSTEM,
                actor_name="Goongdash",
                action=AuditAction.ACCOUNT_RENAMED,
                object_kind="account",
                object_id=account.pk,
            )
        ]
    )
    return entry


def test_change_on_a_page_is_the_member_s(alice: Account, alice_client: Client) -> None:
    alice_client.post("/account", {"name": "New name"})
    entry = newest("account.renamed")
    assert who(entry) == ("member", "alice@example.com", owner_of(alice).pk)
    assert (entry.account, entry.object_kind, entry.object_id) == (alice, "account", alice.pk)
    assert entry.changes == {"name": ["Alice Maps", "New name"]}
    assert utc_now() - entry.at < timedelta(minutes=1)


def test_change_to_what_it_is_already_is_none(alice: Account) -> None:
    account_rename(account=alice, name=alice.name)
    assert not AuditEntry.objects.filter(action="account.renamed").exists()


def test_change_by_a_command_is_the_command_s(alice: Account) -> None:
    options = ("--account", "alice@example.com", "--type", "rest", "--name", "Shop", "--allow", "example.com")
    call_command("create_key", *options, "--json", stdout=StringIO())
    entry = newest("key.created")
    assert who(entry) == ("command", "create_key", None)
    assert entry.changes == {"type": [None, "rest"], "restrictions": [None, ["http*://example.com/*"]]}


def test_change_in_the_admin_is_the_operator_s(alice: Account) -> None:
    operator, bob = User.objects.create_superuser("op@example.com", PASSWORD), make_member(alice, Role.VIEWER)
    client = Client()
    client.force_login(operator)
    first = alice.memberships.get(role=Role.OWNER)
    data = {
        "name": "By the operator",
        "plan": Plan.objects.get(slug="pro").pk,
        "is_active": "on",
        "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "2",
        "memberships-0-id": first.pk,
        "memberships-0-account": alice.pk,
        "memberships-0-user": first.user_id,
        "memberships-0-role": "owner",
        "memberships-1-id": bob.pk,
        "memberships-1-account": alice.pk,
        "memberships-1-user": bob.user_id,
        "memberships-1-role": "admin",
    }
    assert client.post(reverse("admin:accounts_account_change", args=[alice.pk]), data).status_code == 302
    edited, role = newest("account.edited"), newest("member.role_changed")
    assert who(edited) == who(role) == ("operator", "op@example.com", operator.pk)
    assert edited.changes == {"name": ["Alice Maps", "By the operator"], "plan": ["Free", "Pro"]}
    assert (role.object_id, role.changes) == (bob.user_id, {"role": ["viewer", "admin"]})


def test_operator_s_change_of_a_plan_is_in_no_account_s_history(alice: Account, alice_client: Client) -> None:
    operator = User.objects.create_superuser("op@example.com", PASSWORD)
    client = Client()
    client.force_login(operator)
    plan = Plan.objects.get(slug="free")
    url = reverse("admin:accounts_plan_change", args=[plan.pk])
    data = {
        field.name: value
        for field in Plan._meta.fields
        if (value := getattr(plan, field.name)) is not None and field.name != "id"
    }
    assert client.post(url, {**data, "rate_limit": 7}).status_code == 302
    entry = newest("plan.edited")
    assert (entry.account, entry.changes) == (None, {"rate_limit": [5, 7]})
    assert "Plan edited" not in alice_client.get("/account/history").content.decode()


def test_dates_and_lists_are_recorded_as_the_admin_had_them(alice: Account) -> None:
    operator, key = User.objects.create_superuser("op@example.com", PASSWORD), make_key(alice).key
    client, group = Client(), Group.objects.create(name="Support")
    client.force_login(operator)
    expiry = {"expires_at_0": "2027-01-31", "expires_at_1": "10:00:00"}
    restrictions = {"restrictions-TOTAL_FORMS": "0", "restrictions-INITIAL_FORMS": "0"}
    chosen = {"restrictions_mode": "enforced", "on_spike": "report"}
    data = {"name": key.name, "allows_no_origin": "", **chosen, **expiry, **restrictions}
    assert client.post(reverse("admin:keys_apikey_change", args=[key.pk]), data).status_code == 302
    assert newest("key.edited").changes == {"expires_at": [None, "2027-01-31T03:00:00+00:00"]}
    assert list(audit_of(alice, "key", key.pk)[:1]) == [newest("key.edited")]
    data = {**data, "expires_at_0": "2027-02-01"}
    assert client.post(reverse("admin:keys_apikey_change", args=[key.pk]), data).status_code == 302
    [before, after] = newest("key.edited").changes["expires_at"]
    assert (before[:10], after[:10]) == ("2027-01-31", "2027-02-01")

    user = owner_of(alice)
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    data = {"email": user.email, "is_active": "on", "groups": str(group.pk), **joined}
    assert client.post(reverse("admin:accounts_user_change", args=[user.pk]), data).status_code == 302
    assert newest("user.edited").changes["groups"] == [[], ["Support"]]


def test_operator_who_creates_a_user_leaves_no_password(alice: Account) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("op@example.com", PASSWORD))
    new = "a password nobody knows"
    data = {"email": "new@example.com", "usable_password": "true", "password1": new, "password2": new}
    client.post(reverse("admin:accounts_user_add"), data)
    entry = newest("user.created")
    assert (entry.account, entry.object_name, entry.changes) == (
        None,
        "new@example.com",
        {"email": [None, "new@example.com"]},
    )
    assert User.objects.get(email="new@example.com").check_password(new)


def test_operator_lets_somebody_in_who_lost_their_phone(alice: Account) -> None:
    operator, user = User.objects.create_superuser("op@example.com", PASSWORD), owner_of(alice)
    client = Client()
    client.force_login(operator)
    app_of_user = Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "made up"})
    url = reverse("admin:mfa_authenticator_change", args=[app_of_user.pk])
    assert "made up" not in client.get(url).content.decode()
    assert (
        client.post(reverse("admin:mfa_authenticator_delete", args=[app_of_user.pk]), {"post": "yes"}).status_code
        == 302
    )
    assert not Authenticator.objects.exists()
    assert who(newest("sign_in.totp_removed"))[:2] == ("operator", "op@example.com")


def test_without_anybody_it_is_the_system(alice: Account) -> None:
    account_set_plan(account=alice, plan=Plan.objects.get(slug="pro"))
    entry = newest("account.plan_changed")
    assert who(entry) == ("system", "Goongdash", None)
    assert entry.changes == {"plan": ["free", "pro"]}


def test_actor_is_forgotten_afterwards_even_after_an_error(alice: Account) -> None:
    bob = Actor(ActorKind.COMMAND, "bob")
    with pytest.raises(RuntimeError), acting(lambda: bob):
        raise RuntimeError
    account_rename(account=alice, name="Other")
    assert newest("account.renamed").actor_kind == "system"


def test_change_that_is_rolled_back_was_never_recorded(alice: Account) -> None:
    n_before = AuditEntry.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        account_rename(account=alice, name="Other")
        raise RuntimeError
    assert AuditEntry.objects.count() == n_before


def test_history_of_one_key_is_what_happened_to_it(alice: Account) -> None:
    key, other = make_key(alice, restrictions=["example.com"]).key, make_key(alice).key
    key_set_restrictions(key=key, restrictions=["10.0.0.1"])
    for _ in range(2):
        key_revoke(key=key)
    assert [entry.action for entry in audit_of(alice, "key", key.pk)] == [
        "key.deleted",
        "key.restricted",
        "key.created",
    ]
    assert [entry.action for entry in audit_of(alice, "key", other.pk)] == ["key.created"]
    [change] = changes_of(audit_of(alice, "key", key.pk)[1])
    assert (change.field, change.old, change.new) == ("restrictions", "http*://example.com/*", "10.0.0.1")


def test_history_of_one_object_is_answered_by_an_index(alice: Account) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            account=alice, at=utc_now(), actor_name="G", action="key.edited", object_kind="key", object_id=n % 100
        )
        for n in range(3_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_auditentry")
    assert "auditentry_of_object" in audit_of(alice, "key", 7).explain()


def test_entries_are_neither_edited_nor_deleted(alice: Account) -> None:
    before = list(AuditEntry.objects.values())
    for change in (
        lambda: AuditEntry.objects.update(actor_name="nobody"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: old_entry(alice, days=364).delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    assert list(AuditEntry.objects.order_by("pk").values())[: len(before)] == sorted(before, key=lambda row: row["id"])


def test_entries_are_kept_for_a_year_and_then_forgotten(alice: Account, settings: Settings) -> None:
    kept, gone = old_entry(alice, days=settings.AUDIT_RETENTION_DAYS - 1), old_entry(alice, days=400)
    n_before = AuditEntry.objects.count()
    assert forget_audit() == 1
    assert forget_audit() == 0
    assert AuditEntry.objects.filter(pk=kept.pk).exists()
    assert not AuditEntry.objects.filter(pk=gone.pk).exists()
    assert AuditEntry.objects.count() == n_before - 1


def test_forgetting_goes_on_until_nothing_is_left(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.audit.FORGET_ROWS", 2)
    for _ in range(5):
        old_entry(alice, days=400)
    assert audit_forget(before=utc_now() - timedelta(days=370)) == 5


def test_forgetting_is_in_the_schedule() -> None:
    app.loader.import_default_modules()
    tasks = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "accounts.forget_audit" in tasks & set(app.tasks)


def test_no_secret_gets_in(alice: Account, alice_client: Client, mailoutbox: list[EmailMessage]) -> None:
    key = make_key(alice, restrictions=["example.com"])
    key_set_restrictions(key=key.key, restrictions=["example.org"])
    # Somebody pastes keys where names go.
    imported = "A" * 39 + "7"
    make_key(alice, name=f"was {key.text}", description=key.text)
    account_rename(account=alice, name=f"Maps {imported}")
    alice_client.get(reverse("keys:reveal", args=[key.key.pk]))
    alice_client.post(reverse("accounts:invite"), {"email": "dao@example.com", "role": "viewer"})
    token = str(mailoutbox[0].body).split("/invitations/")[1].split()[0]
    alice_client.post(reverse("accounts:resend", args=[alice.invitations.get().pk]))
    key_revoke(key=key.key)
    rows = json.dumps(list(AuditEntry.objects.values()), default=str, ensure_ascii=False)
    stored = ApiKey.objects.get(pk=key.key.pk)
    for secret in (key.text, imported, token, PASSWORD, stored.lookup_digest, bytes(stored.ciphertext).decode()):
        assert secret not in rows
    for digest in alice.invitations.values_list("token_digest", flat=True):
        assert digest not in rows
    assert rows.count(HIDDEN) == 3


def test_long_texts_and_lists_are_cut(alice: Account) -> None:
    changes: dict[str, tuple[object, object]] = {
        "note": (None, "x" * 5_000),
        "list": ([], [f"s{n}.example.com" for n in range(200)]),
    }
    audit(AuditAction.ACCOUNT_EDITED, account=alice, on=alice, name="n" * 400, changes=changes)
    entry = newest("account.edited")
    assert len(entry.object_name) == 254
    assert len(entry.changes["note"][1]) == 501
    assert entry.changes["list"][1][-2:] == ["s19.example.com", "… 180 more"]


def test_change_of_a_sign_in_is_told_in_each_of_the_person_s_accounts(alice: Account, charlie: Account) -> None:
    bob = make_member(alice, Role.VIEWER)
    charlie.memberships.create(user=bob.user, role=Role.VIEWER)
    audit_person(AuditAction.TOTP_ADDED, bob.user)
    entries = AuditEntry.objects.filter(action="sign_in.totp_added")
    assert {entry.account for entry in entries} == {alice, charlie}
    make_account("other@example.com")
    assert entries.count() == 2


def test_every_action_has_a_kind_that_the_filter_knows_or_is_the_operators() -> None:
    kinds = {action.value.partition(".")[0] for action in AuditAction}
    assert kinds == set(KINDS) | {"plan", "price", "service", "user"}
