from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.list_query import KeyListQuery, KeySort, StateFilter, TypeFilter, list_query


def test_query_is_what_the_url_says() -> None:
    asked = {"q": " shop ", "type": "tiles", "state": "soon", "sort": "used", "page": "3"}
    query = list_query(asked)
    assert query == KeyListQuery("shop", TypeFilter.TILES, StateFilter.SOON, KeySort.USED, 3)
    assert query.text == "q=shop&type=tiles&state=soon&sort=used&page=3"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"q": "", "type": "", "state": "", "sort": "", "page": "1"},
        {"q": "\0", "type": "admin", "state": "deleted", "sort": "password", "page": "0"},
        {"q": "x" * 101, "page": "-1"},
        {"page": "9" * 50},
        {"page": "٣"},
    ],
)
def test_default_and_what_makes_no_sense_is_everything(asked: dict[str, str]) -> None:
    query = list_query(asked)
    assert query == KeyListQuery()
    assert query.text == ""
    assert not query.is_filtered


_queries = st.builds(
    KeyListQuery,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50).map(str.strip),
    st.sampled_from(TypeFilter),
    st.sampled_from(StateFilter),
    st.sampled_from(KeySort),
    st.integers(1, 10_000),
)


@given(_queries)
def test_every_list_has_one_address_that_leads_back_to_it(query: KeyListQuery) -> None:
    assert list_query(dict(parse_qsl(query.text))) == query
