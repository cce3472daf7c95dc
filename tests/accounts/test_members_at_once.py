"""What two people do to an account at the same moment."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from accounts.errors import LastOwner
from accounts.members import member_leave
from accounts.models import Membership, Role
from tests.factories import make_account, make_member


@pytest.mark.usefixtures("live")
def test_two_owners_who_leave_at_once_leave_one_behind() -> None:
    account = make_account("alice@example.com")
    owners = [account.memberships.get(), make_member(account, Role.OWNER)]
    barrier, refused = threading.Barrier(2), []

    def leave(member: Membership) -> None:
        try:
            barrier.wait(timeout=10)
            member_leave(member=member)
        except LastOwner:
            refused.append(member.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=[member]) for member in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert [member.pk for member in account.memberships.all()] == refused
