from __future__ import annotations

import pytest

from keys.key_query import KeyPageQuery, KeyTab, key_page_query


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({}, KeyPageQuery()),
        ({"tab": "use", "period": "30d"}, KeyPageQuery(KeyTab.USE, "30d")),
        ({"tab": "history", "before": "7"}, KeyPageQuery(KeyTab.HISTORY, before=7)),
        ({"tab": "nothing", "period": "<script>", "before": "-1"}, KeyPageQuery()),
        ({"tab": "USE", "period": "x" * 21, "before": "9" * 30}, KeyPageQuery()),
        ({"before": "²", "other": "1"}, KeyPageQuery()),
    ],
)
def test_query_is_what_the_parameters_say_and_nonsense_is_left_out(
    parameters: dict[str, str], query: KeyPageQuery
) -> None:
    assert key_page_query(parameters) == query
    assert key_page_query(dict(pair.split("=") for pair in query.text.split("&") if pair)) == query


def test_another_tab_keeps_the_period_and_forgets_the_place_in_the_history() -> None:
    query = KeyPageQuery(KeyTab.HISTORY, "90d", before=12)
    assert query.on(KeyTab.USE).text == "tab=use&period=90d"
    assert query.on(KeyTab.HISTORY, before=3).text == "tab=history&period=90d&before=3"
