from __future__ import annotations

import pytest

from accounts.models import Role
from accounts.permissions import ALLOWED, PURPOSES, Permission, may, roles_given_by, roles_with


def test_every_role_is_in_every_table_and_sees_its_account() -> None:
    assert set(ALLOWED) == set(PURPOSES) == set(Role)
    assert roles_with(Permission.SEE) == list(Role)


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.SEE_REQUESTS, {Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.VIEWER}),
        (Permission.CHANGE_KEYS, {Role.OWNER, Role.ADMIN, Role.DEVELOPER}),
        (Permission.SEE_BILLS, {Role.OWNER, Role.BILLING}),
        (Permission.CHANGE_BILLING, {Role.OWNER, Role.BILLING}),
        (Permission.MANAGE_MEMBERS, {Role.OWNER, Role.ADMIN}),
        (Permission.CHANGE_ACCOUNT, {Role.OWNER, Role.ADMIN}),
        (Permission.SEE_HISTORY, {Role.OWNER, Role.ADMIN}),
        (Permission.HAND_OVER, {Role.OWNER}),
    ],
)
def test_what_a_role_may_do(permission: Permission, roles: set[Role]) -> None:
    assert {role for role in Role if may(role, permission)} == roles


def test_owners_give_every_role_admins_every_other_and_the_rest_none() -> None:
    assert roles_given_by(Role.OWNER) == list(Role)
    assert roles_given_by(Role.ADMIN) == [role for role in Role if role is not Role.OWNER]
    assert [roles_given_by(role) for role in (Role.DEVELOPER, Role.BILLING, Role.VIEWER)] == [[], [], []]
