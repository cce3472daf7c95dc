from __future__ import annotations

import pytest

from gate.elements import n_elements
from keys.limits import MAX_ELEMENTS


@pytest.mark.parametrize(
    ("query", "n"),
    [
        (b"origins=21.0,105.8&destinations=21.1,105.9", 1),
        (b"origins=1,2|3,4&destinations=5,6|7,8|9,10", 6),
        (b"origins=1,2%7C3,4&destinations=5,6%7c7,8&api_key=k", 4),
        (b"destinations=5,6|7,8&origins=1,2", 2),
        (b"origins=1,2|&destinations=|5,6||7,8| ", 2),
        (b"origins=&destinations=5,6|7,8", 2),
        (b"api_key=k", 1),
        (b"", 1),
        (b"origins=%7C%7C&destinations=%7C", 1),
        (b"xorigins=1|2|3&origins=1,2&destinations=5,6", 1),
        (b"origins=" + b"1|" * 200 + b"&destinations=" + b"2|" * 200, MAX_ELEMENTS),
    ],
)
def test_each_origin_with_each_destination_is_an_element(query: bytes, n: int) -> None:
    assert n_elements(query) == n
