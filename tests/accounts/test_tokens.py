from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.errors import TooManyTokens
from accounts.models import Account, AuditEntry, Membership, PersonalToken, TokenScope
from accounts.tokens import MAX_TOKENS, MadeToken, token_create, token_find, token_revoke
from goongdash.lib.clock import utc_now
from tests.factories import T0, make_member

URL = "/account/tokens"
NEW = {"name": "Monitor", "scopes": ["usage", "requests"], "days": "30"}


def owner(account: Account) -> Membership:
    return account.memberships.get(role="owner")


def make_token(member: Membership, **options: object) -> MadeToken:
    fields = {"name": "Monitor", "scopes": [TokenScope.USAGE], "expires_at": None, **options}
    return token_create(member=member, **fields)  # type: ignore[arg-type]


def test_token_is_found_by_its_text_and_its_use_is_noted(alice: Account) -> None:
    made = make_token(owner(alice))
    found = token_find(made.text, T0)
    assert found is not None and found.membership.account == alice
    assert PersonalToken.objects.get().used_at == T0
    # To the minute.
    token_find(made.text, T0 + timedelta(seconds=30))
    assert PersonalToken.objects.get().used_at == T0


def test_text_is_stored_nowhere(alice: Account) -> None:
    made = make_token(owner(alice))
    stored = [str(value) for value in PersonalToken.objects.values().get().values()]
    told = [str(entry.changes) + entry.object_name for entry in AuditEntry.objects.all()]
    assert not any(made.text in text for text in stored + told)


@pytest.mark.parametrize("text", ["", "gt_", "gt_" + "a" * 43, "gr_" + "a" * 36, "\x00", "x" * 100_000])
def test_other_texts_find_nothing(alice: Account, text: str) -> None:
    make_token(owner(alice))
    assert token_find(text, T0) is None


def test_expired_and_revoked_tokens_and_those_of_who_has_left_find_nothing(alice: Account) -> None:
    expired = make_token(owner(alice), expires_at=T0)
    assert token_find(expired.text, T0 - timedelta(seconds=1)) is not None
    assert token_find(expired.text, T0) is None
    revoked = make_token(owner(alice))
    token_revoke(token=revoked.token)
    assert token_find(revoked.text, T0) is None
    member = make_member(alice)
    left = make_token(member)
    member.delete()
    assert token_find(left.text, T0) is None


def test_token_of_a_user_who_is_switched_off_finds_nothing(alice: Account) -> None:
    made = make_token(owner(alice))
    user = owner(alice).user
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert token_find(made.text, T0) is None


def test_one_member_has_so_many_tokens_at_the_most(alice: Account) -> None:
    for _ in range(MAX_TOKENS):
        make_token(owner(alice))
    with pytest.raises(TooManyTokens):
        make_token(owner(alice))
    make_token(make_member(alice))


def test_page_shows_a_new_token_once(alice: Account, alice_client: Client) -> None:
    page = alice_client.post(URL, NEW).content.decode()
    (text,) = set(re.findall(r"gt_[A-Za-z0-9_-]{43}", page))
    token = PersonalToken.objects.get()
    assert (token.name, token.scopes) == ("Monitor", ["requests", "usage"])
    assert token.expires_at is not None and timedelta(days=29) < token.expires_at - utc_now() <= timedelta(days=30)
    assert token_find(text, utc_now()) == token
    again = alice_client.get(URL)
    assert "Monitor" in again.content.decode() and text not in again.content.decode()
    assert "no-store" in again.headers["Cache-Control"]


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 61}, {"scopes": []}, {"scopes": ["all"]}, {"days": "31"}, {"days": "-1"}],
)
def test_odd_input_makes_no_token(alice: Account, alice_client: Client, wrong: dict[str, object]) -> None:
    assert alice_client.post(URL, {**NEW, **wrong}).status_code == 400
    assert not PersonalToken.objects.exists()


def test_bills_are_offered_only_to_who_may_see_them(alice: Account) -> None:
    client = Client()
    client.force_login(make_member(alice, "developer").user)
    assert client.post(URL, {**NEW, "scopes": ["bills"]}).status_code == 400
    assert not PersonalToken.objects.exists()


def test_members_see_their_own_tokens_and_managers_everybodys(alice: Account, alice_client: Client) -> None:
    member = make_member(alice, "developer")
    make_token(member, name="Theirs")
    make_token(owner(alice), name="Ours")
    client = Client()
    client.force_login(member.user)
    theirs = client.get(URL).content.decode()
    assert "Theirs" in theirs and "Ours" not in theirs
    assert "Theirs" in alice_client.get(URL).content.decode()
    alice_client.post(f"{URL}/{PersonalToken.objects.get(name='Theirs').pk}/revoke")
    assert not PersonalToken.objects.filter(name="Theirs").exists()


def test_text_of_a_token_that_somebody_wrote_into_a_name_is_left_out_of_the_history(alice: Account) -> None:
    made = make_token(owner(alice))
    token_revoke(token=make_token(owner(alice), name=f"x {made.text}"[:60]).token)
    assert made.text not in "".join(entry.object_name for entry in AuditEntry.objects.all())
