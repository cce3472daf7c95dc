from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Account
from keys.models import ApiKey, KeyState
from keys.rows import key_rows
from tests.factories import T0, make_key


@pytest.mark.parametrize(("n", "n_first", "n_more"), [(0, 0, 0), (2, 2, 0), (3, 3, 0), (4, 2, 2), (200, 2, 198)])
def test_few_restrictions_are_shown_and_many_are_counted(alice: Account, n: int, n_first: int, n_more: int) -> None:
    key = make_key(alice, restrictions=[f"s{number}.example.com" for number in range(n)]).key
    [row] = key_rows([key], now=T0)
    assert (len(row.first), len(row.more)) == (n_first, n_more)
    assert [*row.first, *row.more] == list(key.restrictions.all())


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, KeyState.ACTIVE),
        ({"expires_at": T0 + timedelta(seconds=1)}, KeyState.ACTIVE),
        ({"expires_at": T0}, KeyState.EXPIRED),
        ({"expires_at": T0, "disabled_at": T0}, KeyState.DISABLED),
        ({"disabled_at": T0, "revoked_at": T0}, KeyState.REVOKED),
    ],
)
def test_state_is_that_of_the_moment(alice: Account, fields: dict[str, object], state: KeyState) -> None:
    key = make_key(alice).key
    ApiKey.objects.filter(pk=key.pk).update(**fields)
    [row] = key_rows(ApiKey.objects.all(), now=T0)
    assert row.state is state


def test_only_the_key_just_made_is_new(alice: Account) -> None:
    keys = [make_key(alice).key, make_key(alice).key]
    assert [row.is_new for row in key_rows(keys, now=T0, new_id=keys[1].pk)] == [False, True]
    assert [row.is_new for row in key_rows(keys, now=T0)] == [False, False]
