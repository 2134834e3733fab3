"""The IDX format: what is read, and what is refused."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad.data import DataFileError, parse_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def encode(array: np.ndarray, code: int) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    big_endian = array.astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, code, array.ndim]) + sizes + big_endian.tobytes()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(CODES)))
def test_every_type_and_rank_comes_back(data: st.DataObject, kind: str) -> None:
    shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)
    array = data.draw(hnp.arrays(np.dtype(kind), shapes))
    parsed = parse_idx(encode(array, CODES[kind]))
    assert parsed.dtype == array.dtype
    assert parsed.dtype.isnative
    assert parsed.flags.writeable
    np.testing.assert_array_equal(parsed, array)


WHOLE = encode(np.arange(12, dtype="u1").reshape(3, 4), 0x08)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", r"not an IDX file: it begins with the bytes \(none\)"),
        (b"\x00\x00\x08", "not an IDX file: it begins with the bytes 00 00 08"),
        (b"\x89PNG" + WHOLE[4:], "not an IDX file: it begins with the bytes 89 50 4e 47"),
        (b"\x00\x00\x07\x02" + WHOLE[4:], "type code of 08 09 0b 0c 0d 0e"),
        (b"\x00\x00\x08\x00", "states 0 dimensions"),
        (WHOLE[:10], "states 2 dimensions and holds 10 bytes, of which the first 12"),
        (WHOLE[:-1], "truncated: its sizes 3 x 4 of uint8 need 24 bytes, and it holds 23"),
        (WHOLE + b"\x00", "too long: its sizes 3 x 4 of uint8 need 24 bytes, and it holds 25"),
        (b"\x00\x00\x0c\x02" + WHOLE[4:], "truncated: its sizes 3 x 4 of int32 need 60 bytes"),
        (gzip.compress(WHOLE, mtime=0), "compressed with gzip"),  # mtime: ids must not tell time
    ],
)
def test_what_is_not_idx_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(DataFileError, match=complaint) as caught:
        parse_idx(data, "some-file")
    assert str(caught.value).startswith("some-file ")


def test_sizes_too_large_for_memory_are_refused_before_any_allocation() -> None:
    with pytest.raises(DataFileError, match="truncated"):
        parse_idx(b"\x00\x00\x0e\x04" + b"\xff" * 16)
