"""create_account: what scripts read from it, and the exit codes."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_account", *arguments, stdout=out)
    return out.getvalue()


def test_account_is_made_and_reported() -> None:
    report = json.loads(run("Bob@example.com", "--password", PASSWORD, "--plan", "basic", "--name", "Bob", "--json"))
    account, user = Account.objects.get(), User.objects.get()
    assert report == {"id": account.pk, "email": "bob@example.com", "plan": "basic"}
    assert (account.name, user.is_superuser, user.check_password(PASSWORD)) == ("Bob", False, True)


def test_staff_may_enter_the_admin() -> None:
    assert run("bob@example.com", "--staff").startswith("Account ")
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, True, False)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["not an address"], 2, "valid email"),
        (["bob@example.com", "--plan", "gold"], 2, "There is no plan 'gold'; there are: free, basic, pro, business."),
        (["alice@example.com"], 1, "There is a user alice@example.com already."),
    ],
)
def test_account_that_cannot_be_exits_with_the_reason(
    alice: Account, arguments: list[str], exit_code: int, message: str
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        run(*arguments)
    assert caught.value.returncode == exit_code
    assert (User.objects.count(), Account.objects.count()) == (1, 1)
