from __future__ import annotations

import pytest

from keys.advice import Caution
from keys.tester import Answer, Question, list_test

LIST = ["example.com/shop/*", "203.0.113.0/24"]


@pytest.mark.parametrize(
    ("question", "is_allowed", "sent"),
    [
        (Question("https://example.com/shop/1?q"), False, "https://example.com/"),
        (Question("https://example.com/shop/1?q", is_whole_url=True), True, "https://example.com/shop/1"),
        (Question(" example.com/shop/ ", is_whole_url=True), True, "https://example.com/shop/"),
        (Question("https://example.com/", "203.0.113.9"), True, "https://example.com/"),
        (Question(ip="203.0.113.9"), True, ""),
        (Question(ip="::ffff:203.0.113.9"), True, ""),
        (Question(ip="198.51.100.1"), False, ""),
    ],
)
def test_request_is_read_as_the_gate_would_read_it(question: Question, is_allowed: bool, sent: str) -> None:
    answer = list_test(LIST, question)
    assert answer.explanation is not None
    assert (answer.explanation.is_allowed, answer.sent) == (is_allowed, sent)


@pytest.mark.parametrize(
    ("question", "url_error", "ip_error"),
    [
        (Question("not a page"), "This is not the address of a page, such as https://example.com/shop.", ""),
        (Question(ip="300.1.1.1"), "", "This is not an IP address."),
        (Question("https://example.com/", "x"), "", "This is not an IP address."),
        (Question("http://", "10.0.0.1"), "This is not the address of a page, such as https://example.com/shop.", ""),
    ],
)
def test_what_is_no_request_is_named(question: Question, url_error: str, ip_error: str) -> None:
    answer = list_test(LIST, question)
    assert (answer.explanation, answer.url_error, answer.ip_error) == (None, url_error, ip_error)


def test_nothing_asked_is_nothing_answered_but_for_the_advice() -> None:
    answer = list_test(["example.com"], Question())
    assert answer.explanation is None
    assert [advice.caution for advice in answer.advice] == [Caution.NO_SUBDOMAIN]


def test_entries_that_cannot_be_used_are_left_out_and_counted() -> None:
    answer = list_test(["a b", "shop.example.com"], Question("https://shop.example.com/"))
    assert answer.n_unusable == 1
    assert answer.explanation is not None
    assert answer.explanation.is_allowed


def test_list_of_nothing_usable_is_not_taken_for_an_empty_one() -> None:
    """An empty list works from anywhere; this one is only not finished."""
    assert list_test(["a b"], Question("https://example.com/")) == Answer(n_unusable=1, advice=[])
