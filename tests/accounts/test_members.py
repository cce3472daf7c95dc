"""Roles, removing, leaving, handing over: by whom, and never without an owner left."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertRedirects

from accounts.errors import LastOwner, RoleTooLow
from accounts.members import account_hand_over, member_leave, member_remove, member_set_role
from accounts.models import Account, AuditEntry, Membership, Role
from tests.factories import make_member

pytestmark = pytest.mark.django_db


def owner(account: Account) -> Membership:
    return account.memberships.filter(role=Role.OWNER).earliest("pk")


def roles(account: Account) -> dict[str, str]:
    return dict(account.memberships.values_list("user__email", "role"))


def post(member: Membership, name: str, *args: object, **data: object) -> int:
    client = Client()
    client.force_login(member.user)
    return client.post(reverse(f"accounts:{name}", args=args), data).status_code


def test_owner_and_admin_change_roles_and_it_is_recorded(alice: Account) -> None:
    admin, bob = make_member(alice, Role.ADMIN), make_member(alice, Role.VIEWER)
    assert member_set_role(by=admin, member=bob, role=Role.DEVELOPER) is True
    assert member_set_role(by=owner(alice), member=bob, role=Role.DEVELOPER) is False
    assert roles(alice)[bob.user.email] == Role.DEVELOPER
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert (entry.object_id, entry.changes) == (bob.user_id, {"role": ["viewer", "developer"]})


@pytest.mark.parametrize("by_role", [Role.DEVELOPER, Role.BILLING, Role.VIEWER])
def test_others_change_nobody(alice: Account, by_role: Role) -> None:
    by, bob = make_member(alice, by_role), make_member(alice, Role.VIEWER)
    before = roles(alice)
    with pytest.raises(RoleTooLow):
        member_set_role(by=by, member=bob, role=Role.ADMIN)
    with pytest.raises(RoleTooLow):
        member_remove(by=by, member=bob)
    assert roles(alice) == before


def test_admin_touches_no_owner_and_makes_none(alice: Account) -> None:
    admin, bob = make_member(alice, Role.ADMIN), make_member(alice, Role.VIEWER)
    before = roles(alice)
    for act in (
        lambda: member_set_role(by=admin, member=owner(alice), role=Role.VIEWER),
        lambda: member_set_role(by=admin, member=bob, role=Role.OWNER),
        lambda: member_remove(by=admin, member=owner(alice)),
        lambda: account_hand_over(by=admin, to=bob),
    ):
        with pytest.raises(RoleTooLow):
            act()
    assert roles(alice) == before


def test_owner_of_another_account_changes_nobody_here(alice: Account, charlie: Account) -> None:
    bob = make_member(alice, Role.VIEWER)
    for act in (
        lambda: member_set_role(by=owner(charlie), member=bob, role=Role.ADMIN),
        lambda: member_remove(by=owner(charlie), member=bob),
    ):
        with pytest.raises(RoleTooLow):
            act()


def test_who_was_demoted_meanwhile_has_lost_the_power(alice: Account) -> None:
    admin, bob = make_member(alice, Role.ADMIN), make_member(alice, Role.VIEWER)
    Membership.objects.filter(pk=admin.pk).update(role=Role.VIEWER)
    with pytest.raises(RoleTooLow):
        member_remove(by=admin, member=bob)


def test_last_owner_neither_leaves_nor_steps_down(alice: Account) -> None:
    make_member(alice, Role.ADMIN)
    only = owner(alice)
    with pytest.raises(LastOwner):
        member_leave(member=only)
    with pytest.raises(LastOwner):
        member_set_role(by=only, member=only, role=Role.ADMIN)
    with pytest.raises(LastOwner):
        member_remove(by=only, member=only)
    assert roles(alice)["alice@example.com"] == Role.OWNER


def test_one_of_two_owners_leaves_and_the_other_then_cannot(alice: Account) -> None:
    second = make_member(alice, Role.OWNER)
    member_leave(member=second)
    with pytest.raises(LastOwner):
        member_leave(member=owner(alice))


def test_handing_over_makes_the_other_owner_and_oneself_admin(alice: Account) -> None:
    before, bob = owner(alice), make_member(alice, Role.DEVELOPER)
    account_hand_over(by=before, to=bob)
    assert roles(alice) == {before.user.email: Role.ADMIN, bob.user.email: Role.OWNER}
    entry = AuditEntry.objects.get(action="account.handed_over")
    assert entry.changes == {"owner": [before.user.email, bob.user.email]}


def test_nobody_hands_over_to_themselves(alice: Account) -> None:
    with pytest.raises(RoleTooLow):
        account_hand_over(by=owner(alice), to=owner(alice))
    assert roles(alice) == {"alice@example.com": Role.OWNER}


def test_removed_member_is_out_at_once(alice: Account) -> None:
    bob = make_member(alice, Role.DEVELOPER)
    client = Client()
    client.force_login(bob.user)
    assert client.get("/keys").status_code == 200
    assert post(owner(alice), "remove", bob.pk) == 302
    assert client.get("/keys").status_code == 404
    assertContains(client.get("/keys"), "Open an account", status_code=404)
    assert post(owner(alice), "remove", bob.pk) == 404


def test_member_leaves_and_opens_an_account_of_their_own(alice: Account) -> None:
    bob = make_member(alice, Role.VIEWER, "bob@example.com")
    client = Client()
    client.force_login(bob.user)
    client.post(reverse("accounts:leave"))
    assert roles(alice) == {"alice@example.com": Role.OWNER}
    for _ in range(2):  # A double click opens one.
        client.post(reverse("accounts:open_own"))
    assert [(member.account.name, member.role) for member in bob.user.memberships.all()] == [("bob", Role.OWNER)]
    assert client.get("/keys").status_code == 200


def test_last_owner_is_told_why_they_cannot_leave(alice: Account, alice_client: Client) -> None:
    assertContains(alice_client.get(reverse("accounts:member", args=[owner(alice).pk])), "only owner")
    response = alice_client.post(reverse("accounts:leave"), follow=True)
    assertContains(response, "needs an owner")
    assert alice.memberships.count() == 1


def test_bad_role_is_refused_in_place(alice: Account, alice_client: Client) -> None:
    bob = make_member(alice, Role.VIEWER)
    url = reverse("accounts:set_role", args=[bob.pk])
    assertContains(alice_client.post(url, {"role": "emperor"}), "emperor is not one of", status_code=400)
    assertContains(alice_client.post(url, {}), "Choose what they may do.", status_code=400)
    bob.refresh_from_db()
    assert bob.role == Role.VIEWER


def test_only_owner_who_steps_down_is_told_why_not(alice: Account, alice_client: Client) -> None:
    url = reverse("accounts:set_role", args=[owner(alice).pk])
    assertContains(alice_client.post(url, {"role": "viewer"}, follow=True), "An account needs an owner")
    assert roles(alice) == {"alice@example.com": Role.OWNER}


def test_admin_who_reaches_for_the_owner_gets_403(alice: Account) -> None:
    admin = make_member(alice, Role.ADMIN)
    assert post(admin, "set_role", owner(alice).pk, role="viewer") == 403
    assert post(admin, "remove", owner(alice).pk) == 403
    assert post(admin, "set_role", admin.pk, role="owner") == 400


def test_owner_hands_over_on_the_page(alice: Account, alice_client: Client) -> None:
    bob = make_member(alice, Role.DEVELOPER)
    page = alice_client.get(reverse("accounts:member", args=[bob.pk]))
    for words in ("Save the role", "Hand Alice Maps over", f"Remove {bob.user.email}"):
        assertContains(page, words)
    response = alice_client.post(reverse("accounts:hand_over", args=[bob.pk]), follow=True)
    assertRedirects(response, "/account")
    assertContains(response, "owns the account now")
    assert post(owner(alice), "hand_over", owner(alice).pk) == 302
    assert roles(alice) == {"alice@example.com": Role.ADMIN, bob.user.email: Role.OWNER}


def test_refusal_names_the_roles_and_whom_to_ask(alice: Account) -> None:
    viewer = make_member(alice, Role.VIEWER)
    client = Client()
    client.force_login(viewer.user)
    page = client.get("/billing")
    assertContains(page, "Your role in Alice Maps is Viewer, which may not see the bills.", status_code=403)
    assertContains(page, "Roles that may: Owner, Billing.", status_code=403)
    assertContains(page, "alice@example.com", status_code=403)
