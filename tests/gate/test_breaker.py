from __future__ import annotations

from gate.breaker import FIRST_PAUSE_S, LONGEST_PAUSE_S, TRUSTED_AFTER_S, Breaker


def test_first_failure_opens_it_and_a_good_probe_closes_it() -> None:
    breaker = Breaker()
    assert not breaker.is_open
    assert breaker.failed(100.0)
    assert breaker.is_open
    assert not breaker.may_probe(100.0)
    assert breaker.may_probe(100.0 + FIRST_PAUSE_S)
    breaker.probe_succeeded(101.0)
    assert (breaker.is_open, breaker.may_probe(999.0)) == (False, False)


def test_calls_that_fail_together_lengthen_the_pause_once() -> None:
    breaker = Breaker()
    breaker.failed(100.0)
    assert [breaker.failed(100.0) for _ in range(20)] == [False] * 20
    assert breaker.may_probe(100.0 + FIRST_PAUSE_S)


def test_pauses_double_up_to_a_limit_while_probes_fail() -> None:
    breaker, now = Breaker(), 100.0
    breaker.failed(now)
    for pause_s in (0.2, 0.4, 0.8, 1.6, LONGEST_PAUSE_S, LONGEST_PAUSE_S):
        assert not breaker.may_probe(now + pause_s - 0.01)
        now += pause_s + 0.01
        assert breaker.may_probe(now)
        breaker.failed(now)


def test_store_that_fails_again_soon_is_probed_less_and_one_that_has_held_is_trusted() -> None:
    breaker = Breaker()
    breaker.failed(100.0)
    breaker.probe_succeeded(100.5)
    breaker.failed(101.0)
    assert not breaker.may_probe(101.0 + FIRST_PAUSE_S)
    assert breaker.may_probe(101.0 + 2 * FIRST_PAUSE_S)
    breaker.probe_succeeded(101.5)
    later = 101.6 + TRUSTED_AFTER_S
    breaker.failed(later)
    assert breaker.may_probe(later + FIRST_PAUSE_S)
