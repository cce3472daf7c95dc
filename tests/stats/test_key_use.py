"""The bars of the key list: today's requests of its keys against their limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import Account, Plan
from goongdash.lib.clock import utc_now
from keys.limits import KeyLimits
from keys.overlap import Overlap
from keys.rotation import key_rotate
from keys.services import CreatedKey
from stats.key_use import UseBar, use_bar
from stats.outcomes import Outcome
from tests.factories import make_event, make_key
from tests.road import store

URL = "/statistics/keys"


@pytest.mark.parametrize(
    ("n", "limits", "bar", "tone"),
    [
        (0, (None, 1_000), UseBar(1, 0, 1_000), ""),
        (799, (None, 1_000), UseBar(1, 799, 1_000), ""),
        (800, (2_000, 1_000), UseBar(1, 800, 1_000), "warn"),
        (100, (100, 1_000), UseBar(1, 100, 100), "bad"),
        (10**9, (None, None), UseBar(1, 10**9, None), ""),
    ],
)
def test_bar_stands_against_the_lower_limit(n: int, limits: tuple[int | None, ...], bar: UseBar, tone: str) -> None:
    assert use_bar(1, n, *limits) == bar
    assert bar.tone == tone


def use(created: CreatedKey, n: int, **overrides: Any) -> None:
    store(*(make_event(created, **{"at": utc_now(), **overrides}) for _ in range(n)))


def test_bars_count_what_counts_against_the_day_s_limit(alice: Account, alice_client: Client) -> None:
    key, lower = make_key(alice), make_key(alice, limits=KeyLimits(requests_per_day=3))
    use(key, 2)
    use(key, 4, outcome=Outcome.RATE_LIMIT, units=0)
    use(key, 5, at=utc_now() - timedelta(days=2))
    use(lower, 3)
    page = alice_client.get(URL, {"key": [key.key.pk, lower.key.pk]})
    assertContains(page, f'id="key-use-{key.key.pk}" hx-swap-oob="true"')
    assertContains(page, "2 of 1,000")
    assertContains(page, "3 of 3")
    assertContains(page, 'class="meter meter-bad" max="3" value="3"')


def test_old_and_new_key_of_a_rotation_show_the_day_that_they_share(alice: Account, alice_client: Client) -> None:
    created = make_key(alice, limits=KeyLimits(requests_per_day=100))
    use(created, 3)
    rotated = key_rotate(key=created.key, overlap=Overlap.DAY)
    assert rotated.text
    use(CreatedKey(rotated.rotation.new, rotated.text), 2)
    keys = [created.key.pk, rotated.rotation.new.pk]
    for asked in (keys, keys[:1], keys[1:]):
        page = alice_client.get(URL, {"key": asked}).content.decode()
        assert page.count("5 of 100") == len(asked)


def test_plan_without_a_limit_has_no_bar(alice: Account, alice_client: Client) -> None:
    Plan.objects.filter(pk=alice.plan_id).update(requests_per_day=None)
    created = make_key(alice)
    use(created, 2)
    page = alice_client.get(URL, {"key": created.key.pk})
    assertContains(page, "no limit")
    assertNotContains(page, "<progress")


def test_stranger_s_key_has_no_bar(alice: Account, charlie_client: Client) -> None:
    assertNotContains(charlie_client.get(URL, {"key": make_key(alice).key.pk}), "key-use")


@pytest.mark.parametrize("key", ["", "x", "-1", "9" * 50, "٣"])
def test_what_is_no_key_is_passed_over(alice_client: Client, key: str) -> None:
    response = alice_client.get(URL, {"key": key})
    assert (response.status_code, response.content.strip()) == (200, b"")


@pytest.mark.django_db
def test_bars_are_for_members_and_by_get(client: Client, alice_client: Client) -> None:
    assertRedirects(client.get(URL), f"/account/login/?next={URL}", fetch_redirect_response=False)
    assert alice_client.post(URL).status_code == 405


@pytest.mark.parametrize("n_keys", [1, 50])
def test_page_of_bars_is_one_query_of_the_sums(
    alice: Account, alice_client: Client, django_assert_num_queries: DjangoAssertNumQueries, n_keys: int
) -> None:
    keys = [make_key(alice).key.pk for _ in range(n_keys)]
    with django_assert_num_queries(5):  # Session, user, account; keys, sums.
        alice_client.get(URL, {"key": keys})
