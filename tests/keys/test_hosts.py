"""Host names in normal form, checked against the idna package where its stricter rules apply."""

from __future__ import annotations

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.hosts import host_normalised, host_to_ascii


@pytest.mark.parametrize("name", ["münchen.de", "phở.vn", "bản-đồ.vn", "straße.de", "例え.テスト", "BÜCHER.example"])
def test_international_name_takes_the_form_of_the_standard(name: str) -> None:
    assert host_normalised(name) == idna.encode(name, uts46=True).decode()


@pytest.mark.parametrize(
    ("name", "normal"),
    [("my_app.bản.vn", "my_app.xn--bn-l5s.vn"), ("i❤.ws", "xn--i-7iq.ws"), ("a。b", "a.b"), ("Ａ.b", "a.b")],
)
def test_name_that_browsers_open_works_even_if_idna_2008_refuses_it(name: str, normal: str) -> None:
    assert host_normalised(name) == normal


@pytest.mark.parametrize("name", ["℀.com", "mün*.de", "＊.de", "a b", "", ".", "a..b", "\ud800", "é" * 254])
def test_what_is_no_name_has_no_normal_form(name: str) -> None:
    assert host_normalised(name) is None


def test_wildcards_survive_beside_international_labels() -> None:
    assert host_to_ascii("*.a*.München.DE") == "*.a*.xn--mnchen-3ya.de"


@given(st.text(max_size=30))
def test_normal_form_is_stable_and_never_raises(text: str) -> None:
    normal = host_normalised(text)

    assert normal is None or host_normalised(normal) == normal
