from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.spikes import MAX_TOLD_A_DAY, KeyUse, OriginUse, Thresholds, findings, usual_hour
from tests.factories import T0

LIMITS = Thresholds()
LONG_AGO = T0 - timedelta(days=30)
OWN, EVIL = "https://shop.example", "https://evil.example"


def origin(text: str = OWN, n_hour: int = 0, n_before: int = 0, id: int = 1, **options: object) -> OriginUse:
    """By default one that has been weighed, of long ago."""
    fields = {"first_seen_at": LONG_AGO, "is_weighed": True, **options}
    return OriginUse(id=id, origin=text, n_requests=n_before + n_hour, n_hour=n_hour, **fields)  # type: ignore[arg-type]


def fresh(text: str = EVIL, n_hour: int = 20, id: int = 2, **options: object) -> OriginUse:
    return origin(text, n_hour, 0, id, **{"first_seen_at": T0, "is_weighed": False, **options})


def use(*origins: OriginUse, **options: object) -> KeyUse:
    """By default of a key in use for a month, 100 requests in the busiest hour of each day."""
    fields = {
        "began_at": LONG_AGO,
        "n_requests": sum(each.n_requests for each in origins),
        "n_hour": sum(each.n_hour for each in origins),
        "busiest": [100] * 7,
        **options,
    }
    return KeyUse(origins=origins, **fields)  # type: ignore[arg-type]


def test_origin_that_is_new_is_told_of_once_it_has_made_some_requests() -> None:
    few, enough = fresh(n_hour=19), fresh(n_hour=20)
    assert findings(use(few), LIMITS, now=T0).first_seen == []
    assert findings(use(few), LIMITS, now=T0).weighed == []
    found = findings(use(enough), LIMITS, now=T0)
    assert (found.first_seen, found.weighed, found.told) == ([enough], [2], [2])
    assert findings(use(replace(enough, is_weighed=True)), LIMITS, now=T0).first_seen == []


def test_origins_of_a_key_that_is_learning_are_what_is_usual() -> None:
    early, late = fresh(first_seen_at=T0 + timedelta(hours=23)), fresh(first_seen_at=T0 + timedelta(hours=24))
    now = T0 + timedelta(hours=30)
    learnt = findings(use(early, began_at=T0), LIMITS, now=now)
    assert (learnt.first_seen, learnt.weighed) == ([], [2])
    assert findings(use(late, began_at=T0), LIMITS, now=now).first_seen == [late]


@pytest.mark.parametrize("text", ["", "*"])
def test_what_names_no_site_is_no_origin_to_tell_of(text: str) -> None:
    found = findings(use(fresh(text, n_hour=5_000)), LIMITS, now=T0)
    assert (found.first_seen, found.spikes, found.weighed) == ([], [], [2])
    assert found.key_spike is not None and found.key_spike.origin is None


def test_whoever_sends_many_origins_does_not_fill_the_list() -> None:
    many = [fresh(f"https://{n}.example", n_hour=20 + n, id=n) for n in range(1, 41)]
    found = findings(use(*many), Thresholds(key_min_requests=10_000), now=T0)
    assert [each.id for each in found.first_seen] == [40, 39, 38, 37, 36]
    assert len(found.weighed) == 40
    again = findings(use(*many, n_told=MAX_TOLD_A_DAY), Thresholds(key_min_requests=10_000), now=T0)
    assert again.first_seen == []


@pytest.mark.parametrize(
    ("n_hour", "n_before", "n_own", "percent"),
    [
        (150, 0, 150, 50),  # Half of the hour, and nothing before.
        (150, 110, 100, 60),  # A tenth of what was before.
        (149, 0, 151, None),  # Less than half.
        (99, 0, 10, None),  # Too few.
        (150, 130, 100, None),  # More than a tenth before: nothing new.
    ],
)
def test_origin_that_suddenly_makes_up_much_of_the_use(
    n_hour: int, n_before: int, n_own: int, percent: int | None
) -> None:
    known = origin(EVIL, n_hour, n_before, id=2)
    found = findings(use(origin(OWN, n_own, 1_000), known), LIMITS, now=T0)
    assert [spike.percent for spike in found.spikes] == ([percent] if percent else [])


def test_origin_is_told_of_once_a_day() -> None:
    told = origin(EVIL, 150, id=2, told_at=T0 - timedelta(hours=23))
    own = origin(OWN, 100, 1_000)
    assert findings(use(own, told), LIMITS, now=T0).spikes == []
    assert findings(use(own, told), LIMITS, now=T0 + timedelta(hours=1)).spikes != []


@pytest.mark.parametrize(
    ("n_hour", "busiest", "is_spike"),
    [
        (500, [100] * 7, True),
        (499, [100] * 7, False),
        (199, [1] * 7, False),  # Too few to matter.
        (200, [1] * 7, True),
        (500, [100, 100], False),  # Two days say nothing of what is usual.
        (500, [100, 100, 100], True),
        (5_000, [1, 1, 1, 1, 1, 1, 4_000], True),  # One wild day is not usual.
        (500, [10, 10, 100, 100, 100, 100, 100], True),  # Nor is a quiet weekend.
    ],
)
def test_key_whose_hour_is_far_beyond_the_usual(n_hour: int, busiest: list[int], is_spike: bool) -> None:
    found = findings(use(origin(OWN, n_hour, 10_000), busiest=busiest), LIMITS, now=T0)
    assert (found.key_spike is not None) == is_spike


def test_spike_of_a_key_names_the_origin_behind_it_and_that_is_told_of_there_alone() -> None:
    evil = fresh(n_hour=5_000)
    found = findings(use(origin(OWN, 100, 10_000), evil), LIMITS, now=T0)
    assert found.key_spike is not None
    assert (found.key_spike.n_hour, found.key_spike.n_usual, found.key_spike.origin) == (5_100, 100, evil)
    assert (found.first_seen, found.spikes, found.told) == ([], [], [2])


def test_spike_by_the_usual_sites_names_none() -> None:
    found = findings(use(origin(OWN, 5_000, 10_000), fresh(n_hour=30)), LIMITS, now=T0)
    assert found.key_spike is not None and found.key_spike.origin is None
    assert [each.origin for each in found.first_seen] == [EVIL]


def test_nothing_of_nothing() -> None:
    found = findings(use(), LIMITS, now=T0)
    assert (found.key_spike, found.first_seen, found.spikes, found.weighed, found.told) == (None, [], [], [], [])


@given(st.lists(st.integers(1, 10**6), min_size=3, max_size=7), st.integers(0, 400))
def test_natural_growth_is_no_spike(busiest: list[int], growth_percent: int) -> None:
    """Up to the factor over the usual day, whatever the days were."""
    usual = usual_hour(busiest, learning_days=3)
    assert usual is not None and min(busiest) <= usual <= max(busiest)
    n_hour = min(usual * (100 + growth_percent) // 100, 5 * usual - 1)
    assert findings(use(origin(OWN, n_hour), busiest=busiest), LIMITS, now=T0).key_spike is None


@given(st.lists(st.builds(fresh, st.sampled_from([OWN, EVIL, "", "*"]), st.integers(0, 10_000), st.integers(1, 99))))
def test_no_origin_is_told_of_twice_in_one_run(origins: list[OriginUse]) -> None:
    distinct = list({each.id: each for each in origins}.values())
    told = findings(use(*distinct), LIMITS, now=T0).told
    assert len(told) == len(set(told))
