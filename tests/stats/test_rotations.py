"""Who still uses a key that is being replaced, and when the schedule retires it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from accounts.models import Account, AuditEntry, Notice
from goongdash.lib.clock import utc_now
from keys.errors import KeyHeld
from keys.models import ApiKey, Rotation
from keys.overlap import Overlap, Quiet
from keys.rotation import key_rotate
from keys.services import CreatedKey
from stats.ingest import ingest_all
from stats.outcomes import Outcome
from stats.rotations import Caller, old_key_use, rotations_end
from stats.tasks import end_rotations
from tests.factories import make_event, make_key, make_member
from tests.road import push, store

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def rotation_of(
    created: CreatedKey, *, ago: timedelta = timedelta(0), overlap: Overlap = Overlap.DAY, quiet: Quiet = Quiet.NEVER
) -> Rotation:
    """Begun `ago`."""
    rotation = key_rotate(key=created.key, overlap=overlap, quiet=quiet).rotation
    started_at, ends_at = rotation.started_at - ago, rotation.ends_at - ago
    Rotation.objects.filter(pk=rotation.pk).update(started_at=started_at, ends_at=ends_at)
    ApiKey.objects.filter(pk=created.key.pk).update(expires_at=ends_at)
    return fresh(rotation)


def fresh(rotation: Rotation) -> Rotation:
    return Rotation.objects.select_related("old__use", "old__account", "new").get(pk=rotation.pk)


def is_retired(rotation: Rotation) -> bool:
    return fresh(rotation).old.revoked_at is not None


@pytest.fixture
def created(alice: Account) -> CreatedKey:
    return make_key(alice, name="Storefront")


# ---- Who still uses it ----


def test_callers_of_the_old_key_are_counted_by_origin_and_address(created: CreatedKey, alice: Account) -> None:
    now = utc_now()
    here: dict[str, Any] = {"origin": "https://shop.example.com", "ip": "203.0.113.7"}
    rotation = rotation_of(created)
    store(
        make_event(created, at=now - 25 * HOUR, **here),
        make_event(created, at=now - 23 * HOUR, **here),
        make_event(created, at=now - 30 * MINUTE, **here),
        make_event(created, at=now - 2 * HOUR, origin="", ip="198.51.100.9"),
        make_event(created, at=now - MINUTE, outcome=Outcome.ORIGIN_NOT_ALLOWED, origin="https://evil.example"),
        make_event(CreatedKey(rotation.new, ""), at=now - MINUTE, **here),
    )
    use = old_key_use(fresh(rotation), now=now)
    assert use.callers == [
        Caller("https://shop.example.com", "203.0.113.7", 2, 1, now - 30 * MINUTE),
        Caller("", "198.51.100.9", 1, 0, now - 2 * HOUR),
    ]
    assert (use.n_day, use.n_hour, use.n_more, use.is_too_many) == (3, 1, 0, False)
    assert use.last_at == now - 30 * MINUTE


def test_many_callers_are_counted_and_the_last_ten_named(created: CreatedKey) -> None:
    now = utc_now()
    rotation = rotation_of(created)
    store(*(make_event(created, at=now - n * MINUTE, origin=f"https://s{n}.example.com") for n in range(12)))
    use = old_key_use(fresh(rotation), now=now)
    assert [caller.origin for caller in use.callers] == [f"https://s{n}.example.com" for n in range(10)]
    assert (use.n_day, use.n_hour, use.n_more) == (12, 12, 2)


def test_page_shows_who_uses_the_old_key_and_asks_again(
    created: CreatedKey, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rotation = rotation_of(created, quiet=Quiet.DAY)
    store(make_event(created, at=utc_now() - MINUTE, origin="https://shop.example.com"))
    url = reverse("receipts:rotation", args=[created.key.pk])
    page = alice_client.get(url)
    for words in (
        *("Storefront", "https://shop.example.com", "1 in the last hour, 1 in the last 24 hours"),
        *(rotation.new.masked_text, "or until nobody has used it for 24 hours", f'hx-get="{url}"'),
        *(reverse("keys:retire", args=[created.key.pk]), reverse("keys:cancel_rotation", args=[created.key.pk])),
    ):
        assertContains(page, words)
    assertContains(alice_client.get(url, headers={**HTMX, "HX-Target": "dialog"}), "Rotation</h2>")
    fragment = alice_client.get(url, headers={**HTMX, "HX-Target": "rotation"})
    assertNotContains(fragment, reverse("keys:retire", args=[created.key.pk]))
    assert fragment.content.decode().strip() in page.content.decode()


def test_page_of_a_rotation_that_is_over_asks_no_more(created: CreatedKey, alice_client: Client) -> None:
    rotation_of(created, ago=25 * HOUR)
    end_rotations()
    page = alice_client.get(reverse("receipts:rotation", args=[created.key.pk]))
    assertContains(page, reverse("receipts:receipt", args=[created.key.pk]))
    assertNotContains(page, 'hx-trigger="load delay')
    assertNotContains(page, reverse("keys:retire", args=[created.key.pk]))


def test_unused_old_key_is_said_to_be(created: CreatedKey, alice_client: Client) -> None:
    rotation_of(created)
    assertContains(alice_client.get(reverse("receipts:rotation", args=[created.key.pk])), "Nobody has used the old key")


def test_viewer_is_shown_the_use_and_no_button_and_a_stranger_nothing(
    created: CreatedKey, alice: Account, charlie_client: Client
) -> None:
    rotation_of(created)
    url = reverse("receipts:rotation", args=[created.key.pk])
    viewer = Client()
    viewer.force_login(make_member(alice, "viewer").user)
    assertNotContains(viewer.get(url), reverse("keys:retire", args=[created.key.pk]))
    assert charlie_client.get(url).status_code == 404


def test_key_without_a_rotation_has_no_such_page(created: CreatedKey, alice_client: Client) -> None:
    assert alice_client.get(reverse("receipts:rotation", args=[created.key.pk])).status_code == 404


# ---- Its end ----


def test_key_is_retired_when_its_time_is_up_and_told_of_once(created: CreatedKey, alice: Account) -> None:
    over, under_way = rotation_of(created, ago=24 * HOUR), rotation_of(make_key(alice), ago=23 * HOUR)
    store(make_event(created, at=utc_now()))  # Whoever uses it still: the gate has ended it already.
    assert (end_rotations(), end_rotations()) == (1, 0)
    assert (is_retired(over), is_retired(under_way)) == (True, False)
    notice = Notice.objects.get()
    assert (notice.account, notice.kind, notice.permission) == (alice, "key_retired", "CHANGE_KEYS")
    assert notice.facts["key"] == f"Storefront {created.key.masked_text}"
    entry = AuditEntry.objects.get(action="key.retired")
    assert entry.changes["because"] == [None, "the overlap was over"]


@pytest.mark.parametrize(
    ("quiet", "used_ago", "started_ago", "retires"),
    [
        (Quiet.HOUR, timedelta(minutes=62), 2 * HOUR, True),
        (Quiet.HOUR, timedelta(minutes=59), 2 * HOUR, False),
        (Quiet.HOUR, None, 2 * HOUR, True),
        (Quiet.HOUR, None, timedelta(minutes=59), False),
        (Quiet.DAY, 3 * HOUR, 5 * HOUR, False),
        (Quiet.NEVER, None, 20 * HOUR, False),
    ],
)
def test_key_is_retired_early_when_it_was_quiet_for_as_long_as_was_asked(
    created: CreatedKey, quiet: Quiet, used_ago: timedelta | None, started_ago: timedelta, retires: bool
) -> None:
    rotation = rotation_of(created, ago=started_ago, overlap=Overlap.WEEK, quiet=quiet)
    if used_ago is not None:
        store(make_event(created, at=utc_now() - used_ago))
    assert (end_rotations(), is_retired(rotation)) == (int(retires), retires)


@pytest.mark.parametrize("is_ingested", [True, False])
def test_key_whose_use_is_not_counted_yet_is_not_quiet(created: CreatedKey, is_ingested: bool) -> None:
    rotation = rotation_of(created, ago=2 * HOUR, overlap=Overlap.WEEK, quiet=Quiet.HOUR)
    push(make_event(created, at=utc_now()))
    if is_ingested:
        ingest_all()
    assert (rotations_end(now=utc_now() + 10 * MINUTE), is_retired(rotation)) == (0, False)


def test_quiet_is_not_believed_while_the_store_is_away_and_time_is(
    created: CreatedKey, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = rotation_of(created, ago=2 * HOUR, overlap=Overlap.WEEK, quiet=Quiet.HOUR)
    over = rotation_of(make_key(alice), ago=24 * HOUR)

    def away() -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr("stats.rotations.redis_client", away)
    assert end_rotations() == 1
    assert (is_retired(quiet), is_retired(over)) == (False, True)


def test_many_rotations_cost_no_more_to_look_at(
    alice: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        rotation_of(make_key(alice))
    with django_assert_num_queries(2):
        assert rotations_end(now=datetime.now(tz=utc_now().tzinfo)) == 0


def test_rotation_that_is_cancelled_in_the_same_moment_is_not_ended(
    created: CreatedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotation = rotation_of(created, ago=24 * HOUR)

    def cancelled(**options: Any) -> bool:
        raise KeyHeld("No rotation of this key is under way.")

    monkeypatch.setattr("stats.rotations.key_retire", cancelled)
    assert (end_rotations(), is_retired(rotation), Notice.objects.count()) == (0, False, 0)
