"""An account's own budget: one row, recorded, and announced so that gates follow."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.actors import Actor, acting
from accounts.audit_actions import ActorKind
from accounts.changes import changes_channel
from accounts.models import Account, AuditEntry
from billing.budgets import budget_set
from billing.errors import BudgetInvalid
from billing.models import Budget
from billing.selectors import budget_of
from goongdash.lib.clock import utc_now
from stats.stream import redis_client
from tests.factories import make_account, owner_of

pytestmark = pytest.mark.django_db


def history() -> list[tuple[str, dict[str, list[object]]]]:
    found = AuditEntry.objects.filter(object_kind="budget").order_by("id")
    return [(entry.action, entry.changes) for entry in found]


def test_budget_is_set_changed_and_removed_and_each_is_recorded(alice: Account) -> None:
    user = owner_of(alice)
    before = utc_now()
    with acting(lambda: Actor(ActorKind.MEMBER, user.email, user.pk)):
        assert budget_set(account=alice, amount_micro_usd=5_000_000)
    budget = budget_of(alice)
    assert budget is not None
    assert (budget.amount_micro_usd, budget.set_by) == (5_000_000, user)
    assert before <= budget.set_at <= utc_now()
    assert budget_set(account=alice, amount_micro_usd=0)
    assert Budget.objects.get().amount_micro_usd == 0
    assert budget_set(account=alice, amount_micro_usd=None)
    assert budget_of(alice) is None
    assert history() == [
        ("budget.set", {"budget": [None, "$5.00"]}),
        ("budget.set", {"budget": ["$5.00", "$0.00"]}),
        ("budget.removed", {"budget": ["$0.00", None]}),
    ]


@pytest.mark.parametrize("amount", [None, 7])
def test_same_budget_again_changes_nothing(alice: Account, amount: int | None) -> None:
    budget_set(account=alice, amount_micro_usd=amount)
    n_before = AuditEntry.objects.count()
    assert not budget_set(account=alice, amount_micro_usd=amount)
    assert AuditEntry.objects.count() == n_before


def test_each_account_has_a_budget_of_its_own(alice: Account) -> None:
    other = make_account()
    budget_set(account=alice, amount_micro_usd=1)
    budget_set(account=other, amount_micro_usd=2)
    assert set(Budget.objects.values_list("account", "amount_micro_usd")) == {(alice.pk, 1), (other.pk, 2)}


def test_less_than_nothing_is_no_budget(alice: Account) -> None:
    with pytest.raises(BudgetInvalid):
        budget_set(account=alice, amount_micro_usd=-1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Budget.objects.create(account=alice, amount_micro_usd=-1, set_at=utc_now())
    assert not Budget.objects.exists()


def test_change_is_announced_to_the_gates_after_its_commit(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with redis_client().pubsub() as listener:  # type: ignore[no-untyped-call]
        listener.subscribe(changes_channel())
        listener.get_message(timeout=1)
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            budget_set(account=alice, amount_micro_usd=1)
            assert len(callbacks) == 0
        message = listener.get_message(timeout=1)
    assert message is not None
    assert message["data"] == f"account:{alice.pk}".encode()
