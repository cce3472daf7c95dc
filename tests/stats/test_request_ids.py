from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.request_ids import make_request_id
from goongdash.lib.clock import from_epoch_us, utc_now
from stats.request_ids import request_id_at, request_id_in, request_time

ID = UUID("019abcde-1234-7abc-8def-0123456789ab")
OTHER = "5f0c7a52-9d1e-4c8a-b7cd-000000000001"


@pytest.mark.parametrize(
    "text",
    [
        str(ID),
        str(ID).upper(),
        f"  {ID}\n",
        f"X-Request-Id: {ID}",
        json.dumps({"message": "This API key …", "code": "RATE_LIMIT", "request_id": str(ID)}),
        f"https://example.com/requests/{ID}?x=1",
        f"trace {OTHER}, request {ID}",
    ],
)
def test_id_is_found_in_whatever_was_pasted_with_it(text: str) -> None:
    assert request_id_in(text) == ID


@pytest.mark.parametrize("text", ["", "RATE_LIMIT", str(ID)[:-1], str(ID) + "0", "x" * 20_000 + str(ID)])
def test_where_there_is_no_id_none_is_found(text: str) -> None:
    assert request_id_in(text) is None


def test_id_of_the_gate_tells_when_it_was_made() -> None:
    made_at = request_time(UUID(make_request_id().decode()))
    assert made_at is not None
    assert abs(made_at - utc_now()) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "text", ["6f1c1f0e-5d1b-4b8e-9d0a-2f6c1b7a9e10", OTHER, "f" * 8 + "-ffff-7fff-bfff-ffffffffffff"]
)
def test_other_ids_tell_no_time(text: str) -> None:
    assert request_time(UUID(text)) is None


@given(
    st.integers(0, 253_000_000_000_000_000).map(from_epoch_us),
    st.integers(0, 2**74 - 1),
    st.integers(0, 2**74 - 1),
)
def test_made_id_tells_its_time_to_the_millisecond(at: datetime, noise: int, other: int) -> None:
    made = request_id_at(at, noise)
    assert request_time(made) == at.replace(microsecond=at.microsecond // 1_000 * 1_000)
    assert (made == request_id_at(at, other)) == (noise == other)
