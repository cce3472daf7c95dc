"""Whole frames are read whatever stands between them; what is torn, cut or damaged is never taken for one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gate.charges import Charge, Counted
from gate.spool_frames import Frame, Placed, Sent, Unreadable, pack_frame, read_frames

numbers = st.integers(0, 2**32 - 1)
large = st.integers(0, 2**63)
charges = st.builds(
    Charge, st.sampled_from(Counted), large, large, numbers, large, numbers, numbers, large, large, large, large
)
line = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1).map(str.encode)
frames = st.builds(
    Frame,
    shard=st.integers(0, 1_023),
    at_us=large,
    lines=st.lists(line, max_size=5).map(tuple),
    charges=st.lists(charges, max_size=3).map(tuple),
    sent=st.none() | st.builds(Sent, st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(1, 2**63)),
)


def whole(data: bytes) -> list[Frame]:
    return [part.frame for part in read_frames(data) if isinstance(part, Placed)]


@given(st.lists(frames, max_size=6))
def test_what_is_written_is_read(written: list[Frame]) -> None:
    data = b"".join(map(pack_frame, written))
    parts = list(read_frames(data))
    assert [part.frame for part in parts if isinstance(part, Placed)] == written
    assert len(parts) == len(written)
    if parts:
        assert isinstance(parts[-1], Placed)
        assert parts[-1].end == len(data)


@given(st.lists(frames, min_size=1, max_size=5), st.data())
def test_file_cut_off_anywhere_has_all_frames_before_the_cut_and_a_torn_end(
    written: list[Frame], data: st.DataObject
) -> None:
    packed = [pack_frame(frame) for frame in written]
    cut = data.draw(st.integers(0, sum(map(len, packed))))
    n_whole, left = 0, cut
    while n_whole < len(packed) and left >= len(packed[n_whole]):
        left -= len(packed[n_whole])
        n_whole += 1

    parts = list(read_frames(b"".join(packed)[:cut]))

    assert [part.frame for part in parts[:n_whole] if isinstance(part, Placed)] == written[:n_whole]
    assert parts[n_whole:] == ([Unreadable(left, is_at_end=True)] if left else [])


@given(st.lists(frames, min_size=2, max_size=5), st.data())
def test_damage_to_one_frame_costs_that_frame_alone_and_is_told_from_a_torn_end(
    written: list[Frame], data: st.DataObject
) -> None:
    packed = [bytearray(pack_frame(frame)) for frame in written]
    hit = data.draw(st.integers(0, len(packed) - 1))
    at = data.draw(st.integers(0, len(packed[hit]) - 1))
    packed[hit][at] ^= data.draw(st.integers(1, 255))

    parts = list(read_frames(b"".join(packed)))

    assert [part.frame for part in parts if isinstance(part, Placed)] == written[:hit] + written[hit + 1 :]
    is_last = hit == len(packed) - 1
    assert [part for part in parts if isinstance(part, Unreadable)] == [Unreadable(len(packed[hit]), is_last)]


@given(st.binary(max_size=300), st.lists(frames, max_size=3))
def test_garbage_before_and_zeros_after_hide_no_frame(garbage: bytes, written: list[Frame]) -> None:
    data = garbage + b"".join(map(pack_frame, written))
    assert whole(data + bytes(64)) == written
    assert whole(garbage) == []


@given(st.lists(frames, min_size=1, max_size=5), st.data())
def test_reading_goes_on_from_any_frames_end(written: list[Frame], data: st.DataObject) -> None:
    packed = b"".join(map(pack_frame, written))
    ends = [part.end for part in read_frames(packed) if isinstance(part, Placed)]
    n = data.draw(st.integers(0, len(ends) - 1))
    rest = [part.frame for part in read_frames(packed, ends[n]) if isinstance(part, Placed)]
    assert rest == written[n + 1 :]
