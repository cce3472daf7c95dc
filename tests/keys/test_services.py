from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.changes import changes_channel
from accounts.models import Account, AuditEntry
from goongdash.lib.clock import utc_now
from keys.errors import KeyChanged, KeyInvalid, RestrictionError
from keys.limits import NO_LIMITS, KeyLimits
from keys.models import ApiKey, Restriction, Service
from keys.selectors import key_by_reference
from keys.services import key_create, key_revoke, key_set_restrictions, key_update
from keys.vault import decrypt, lookup_digest
from stats.stream import redis_client
from tests.factories import make_key, owner_of

pytestmark = pytest.mark.django_db

GOONG_KEY = "7fKq2LwP9xQeT4bVn8RmYc3ZsHd6JgUa1Xo5EiNt"


class Listener:
    """What gates hear: the lines published since it was made."""

    def __init__(self) -> None:
        self._pubsub = redis_client().pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(changes_channel())
        self._pubsub.get_message(timeout=5)

    def lines(self) -> list[str]:
        redis_client().publish(changes_channel(), "end")
        heard: list[str] = []
        while not heard or heard[-1] != "end":
            message = self._pubsub.get_message(timeout=5)
            assert message is not None
            heard.append(message["data"].decode())
        return heard[:-1]


def restriction_texts(key: ApiKey) -> list[str]:
    return list(key.restrictions.values_list("text", flat=True))


def test_create_stores_one_key_as_asked_for(alice: Account) -> None:
    before, expires_at = utc_now(), utc_now() + timedelta(days=1)
    created = key_create(
        account=alice,
        key_type="tiles",
        name="  Cửa hàng ",
        description=" Bản đồ ",
        allows_no_origin=True,
        expires_at=expires_at,
        created_by=owner_of(alice),
    )
    key = ApiKey.objects.get()
    assert key == created.key
    assert (key.account, key.type, key.name, key.description) == (alice, "tiles", "Cửa hàng", "Bản đồ")
    assert (key.allows_no_origin, key.expires_at, key.created_by) == (True, expires_at, owner_of(alice))
    assert before <= key.created_at <= utc_now()
    assert (key.disabled_at, key.revoked_at, key.requests_per_day) == (None, None, None)
    assert created.text.startswith("gm_")
    assert key.masked_text == f"{created.text[:6]}…{created.text[-4:]}"
    assert Restriction.objects.count() == 0


def test_key_text_is_nowhere_in_the_database_and_yet_found_and_read(alice: Account) -> None:
    created = make_key(alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM keys_apikey a")
        [(row,)] = cursor.fetchall()
    assert created.text not in row
    assert created.text.encode().hex() not in row
    assert created.text[6:-4] not in row
    assert ApiKey.objects.get(lookup_digest=lookup_digest(created.text)) == created.key
    assert decrypt(ApiKey.objects.get().ciphertext) == created.text


def test_no_two_keys_have_the_same_text(alice: Account) -> None:
    assert len({make_key(alice).text for _ in range(20)}) == 20


def test_restrictions_are_stored_normalised_in_order_and_once(alice: Account) -> None:
    created = make_key(alice, restrictions=["EXAMPLE.com", "10.0.0.1/32", "http*://example.com/*", "2001:DB8::/32"])
    assert list(Restriction.objects.values_list("key", "kind", "text", "position")) == [
        (created.key.pk, "url", "http*://example.com/*", 0),
        (created.key.pk, "ip", "10.0.0.1", 1),
        (created.key.pk, "ip", "2001:db8::/32", 2),
    ]


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"key_type": "admin"}, KeyInvalid, "no key type"),
        ({"name": "  "}, KeyInvalid, "needs a name"),
        ({"name": "x" * 101}, KeyInvalid, "longer than 100"),
        ({"description": "x" * 1_001}, KeyInvalid, "longer than 1,000"),
        ({"text": "short"}, KeyInvalid, "16 to 200"),
        ({"restrictions": ["example.com", "a b"]}, RestrictionError, "spaces"),
        ({"restrictions": [f"s{n}.example.com" for n in range(201)]}, KeyInvalid, "at most 200"),
    ],
)
def test_key_that_cannot_be_leaves_nothing_behind(
    alice: Account, fields: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        key_create(**{"account": alice, "key_type": "rest", "name": "Storefront", **fields})
    assert (ApiKey.objects.count(), Restriction.objects.count()) == (0, 0)


def test_two_hundred_restrictions_are_taken(alice: Account) -> None:
    make_key(alice, restrictions=[f"s{n}.example.com" for n in range(200)])
    assert Restriction.objects.count() == 200


def test_key_of_another_provider_is_taken_over_as_it_is_and_once(alice: Account, charlie: Account) -> None:
    created = make_key(alice, text=GOONG_KEY)
    assert created.text == GOONG_KEY
    assert key_by_reference(GOONG_KEY) == created.key
    with pytest.raises(KeyInvalid, match="in use already"):
        make_key(charlie, text=GOONG_KEY)
    assert ApiKey.objects.count() == 1


def test_new_restrictions_replace_the_old_of_that_key_only(alice: Account) -> None:
    key = make_key(alice, restrictions=["old.example.com", "10.0.0.1"]).key
    other = make_key(alice, restrictions=["old.example.com"]).key
    key_set_restrictions(key=key, restrictions=["10.0.0.1", "new.example.com"])
    assert restriction_texts(key) == ["10.0.0.1", "http*://new.example.com/*"]
    assert restriction_texts(other) == ["http*://old.example.com/*"]


def test_bad_restriction_leaves_the_old_list(alice: Account) -> None:
    key = make_key(alice, restrictions=["old.example.com"]).key
    with pytest.raises(RestrictionError):
        key_set_restrictions(key=key, restrictions=["new.example.com", "a b"])
    assert restriction_texts(key) == ["http*://old.example.com/*"]


# ---- Changing a key ----


def update(key: ApiKey, version: int = 1, **changes: Any) -> set[str]:
    as_it_is: dict[str, Any] = {
        "name": key.name,
        "description": key.description,
        "restrictions": restriction_texts(key),
        "restrictions_mode": key.restrictions_mode,
        "allows_no_origin": key.allows_no_origin,
        "services": [service.pk for service in key.services.all()],
        "limits": key.limits,
        "expires_at": key.expires_at,
    }
    return key_update(key=key, version=version, **{**as_it_is, **changes})


def test_list_may_be_for_report_only_and_the_history_tells_each_switch(alice: Account) -> None:
    key = make_key(alice, restrictions=["example.com"], restrictions_mode="report_only").key
    assert (key.is_report_only, make_key(alice).key.is_report_only) == (True, False)
    assert update(key, restrictions_mode="enforced") == {"restrictions_mode"}
    key.refresh_from_db()
    assert not key.is_report_only
    told = AuditEntry.objects.filter(object_kind="key", object_id=key.pk).order_by("pk")
    assert [entry.changes.get("restrictions_mode") for entry in told] == [
        [None, "report_only"],
        ["report_only", "enforced"],
    ]
    for wrong in (lambda: make_key(alice, restrictions_mode="loud"), lambda: update(key, 2, restrictions_mode="")):
        with pytest.raises(KeyInvalid):
            wrong()


def test_update_makes_the_key_what_it_is_to_be_and_no_other(alice: Account) -> None:
    key, other = make_key(alice, restrictions=["old.example.com"]).key, make_key(alice, name="Other").key
    geocode = Service.objects.get(slug="geocode")
    expires_at = utc_now() + timedelta(days=30)
    changed = update(
        key,
        name=" Cửa hàng ",
        description="Bản đồ",
        restrictions=["new.example.com", "10.0.0.1"],
        allows_no_origin=True,
        services=[geocode.pk],
        limits=KeyLimits(2, 100, 1_000, 25_000_000),
        expires_at=expires_at,
    )
    key = ApiKey.objects.get(pk=key.pk)
    assert (key.name, key.description, key.allows_no_origin) == ("Cửa hàng", "Bản đồ", True)
    assert (key.limits, key.expires_at, key.version) == (KeyLimits(2, 100, 1_000, 25_000_000), expires_at, 2)
    assert restriction_texts(key) == ["http*://new.example.com/*", "10.0.0.1"]
    assert list(key.services.all()) == [geocode]
    assert changed == {
        *("name", "description", "restrictions", "allows_no_origin", "services", "expires_at"),
        *("rate_limit", "requests_per_day", "requests_per_month", "spend_cap_micro_usd"),
    }
    other.refresh_from_db()
    assert (other.name, other.version, other.limits) == ("Other", 1, NO_LIMITS)


def test_update_is_in_the_history_from_and_to_and_what_stayed_is_not(alice: Account) -> None:
    key = make_key(alice, name="Shop", restrictions=["old.example.com"]).key
    geocode = Service.objects.get(slug="geocode")
    update(key, name="Store", restrictions=["10.0.0.1"], services=[geocode.pk], limits=KeyLimits(rate_limit=2))
    entry = AuditEntry.objects.get(action="key.edited")
    assert (entry.account, entry.object_id, entry.object_name) == (alice, key.pk, "Store")
    assert entry.changes == {
        "name": ["Shop", "Store"],
        "rate_limit": [None, 2],
        "restrictions": [["http*://old.example.com/*"], ["10.0.0.1"]],
        "services": [[], ["Geocode v1"]],
    }


def test_choice_of_services_and_limits_of_a_new_key_are_in_the_history(alice: Account) -> None:
    geocode = Service.objects.get(slug="geocode")
    make_key(alice, services=[geocode.pk], limits=KeyLimits(requests_per_day=100))
    assert AuditEntry.objects.get(action="key.created").changes == {
        "type": [None, "rest"],
        "restrictions": [None, []],
        "services": [None, ["Geocode v1"]],
        "requests_per_day": [None, 100],
    }


def test_limits_services_and_expiry_can_be_taken_away_again(alice: Account) -> None:
    geocode = Service.objects.get(slug="geocode")
    limits = KeyLimits(2, 100, 1_000, 25_000_000)
    key = make_key(alice, services=[geocode.pk], limits=limits, expires_at=utc_now()).key
    update(key, services=[], limits=NO_LIMITS, expires_at=None)
    key = ApiKey.objects.get(pk=key.pk)
    assert (key.limits, key.expires_at, key.services.count()) == (NO_LIMITS, None, 0)


def test_second_of_two_windows_overwrites_nothing(alice: Account) -> None:
    key = make_key(alice, restrictions=["old.example.com"]).key
    update(key, name="First", restrictions=["first.example.com"])
    with pytest.raises(KeyChanged, match="another window"):
        update(key, name="Second", restrictions=["second.example.com"])
    key.refresh_from_db()
    assert (key.name, key.version) == ("First", 2)
    assert restriction_texts(key) == ["http*://first.example.com/*"]


def test_deleted_key_is_not_changed(alice: Account) -> None:
    key = make_key(alice, name="Storefront").key
    key_revoke(key=key)
    with pytest.raises(KeyChanged):
        update(key, name="Alive")
    key.refresh_from_db()
    assert key.name == "Storefront"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, KeyInvalid),
        ({"description": "x" * 1_001}, KeyInvalid),
        ({"restrictions": ["new.example.com", "a b"]}, RestrictionError),
        ({"services": [10**9]}, KeyInvalid),
    ],
)
def test_change_that_cannot_be_changes_nothing(alice: Account, changes: dict[str, Any], error: type[Exception]) -> None:
    key = make_key(alice, name="Storefront", restrictions=["old.example.com"]).key
    with pytest.raises(error):
        update(key, **{"name": "New", **changes})
    key.refresh_from_db()
    assert (key.name, key.version, restriction_texts(key)) == ("Storefront", 1, ["http*://old.example.com/*"])


@pytest.mark.parametrize("slug", ["map-load", "tiles"])
def test_key_is_held_to_no_service_that_its_type_does_not_open(alice: Account, slug: str) -> None:
    service = Service.objects.get(slug=slug)
    with pytest.raises(KeyInvalid, match="not for this type"):
        make_key(alice, services=[service.pk])
    assert ApiKey.objects.count() == 0


def test_update_that_changes_nothing_is_told_to_nobody(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    key = make_key(alice, restrictions=["example.com"]).key
    with django_capture_on_commit_callbacks() as waiting:
        assert update(key, restrictions=["EXAMPLE.com"]) == set()
    key.refresh_from_db()
    assert (key.version, waiting) == (1, [])
    assert not AuditEntry.objects.filter(action="key.edited").exists()


def test_revoke_keeps_the_key_and_its_first_revocation(alice: Account) -> None:
    key, other = make_key(alice).key, make_key(alice).key
    assert key_revoke(key=key) is True
    key.refresh_from_db()
    revoked_at = key.revoked_at
    assert revoked_at is not None
    assert key_revoke(key=key) is False
    key.refresh_from_db()
    other.refresh_from_db()
    assert (key.revoked_at, other.revoked_at) == (revoked_at, None)
    assert ApiKey.objects.count() == 2


def test_every_change_is_told_to_the_gates_after_its_commit(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    listener = Listener()
    with django_capture_on_commit_callbacks() as waiting:
        key = make_key(alice).key
        key_set_restrictions(key=key, restrictions=["example.com"])
        update(key, version=2, name="New")
        key_revoke(key=key)
    assert listener.lines() == []
    for announce in waiting:
        announce()
    # The last one asks for confirmations, too.
    told = f"key:{key.lookup_digest}"
    assert listener.lines() == [told, told, told, told, f"confirm:{key.lookup_digest}"]


def test_change_that_failed_is_told_to_nobody(
    alice: Account, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as waiting, pytest.raises(RestrictionError):
        make_key(alice, restrictions=["a b"])
    assert waiting == []
