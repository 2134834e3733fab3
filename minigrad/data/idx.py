"""The IDX file format: a magic number, the sizes, then the values in C order, big-endian."""

from __future__ import annotations

import math

import numpy as np

from minigrad.data.errors import DataFileError

# The third byte of the magic number says the type of the values.
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def parse_idx(data: bytes, name: str = "the data") -> np.ndarray:
    """Read the array out of the bytes of an IDX file.

    The bytes are: two zeros, a type code, the number of dimensions d, then d sizes as big-endian
    unsigned 32-bit integers, then the values.

    Parameters
    ----------
    data : bytes
        The whole content of the file, not compressed.
    name : str
        How error messages call it.

    Returns
    -------
    ndarray
        A fresh, writable array of uint8, int8, int16, int32, float32 or float64.

    Raises
    ------
    DataFileError
        Wrong magic number, unknown type, no dimension, or more or fewer bytes than the sizes need.

    Notes
    -----
    The format was published with MNIST by LeCun, Cortes and Burges.

    Examples
    --------
    >>> from minigrad.data import parse_idx
    >>> parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    if data[:2] == b"\x1f\x8b":
        raise DataFileError(f"{name} is compressed with gzip: pass gzip.decompress(data)")
    if len(data) < 4 or data[:2] != b"\x00\x00" or data[2] not in _TYPES:
        raise DataFileError(
            f"{name} is not an IDX file: it begins with the bytes {data[:4].hex(' ') or '(none)'}, "
            "and should with 00 00, a type code of 08 09 0b 0c 0d 0e, and the number of dimensions"
        )
    dtype, ndim = np.dtype(_TYPES[data[2]]), data[3]
    start = 4 + 4 * ndim
    if ndim == 0 or len(data) < start:
        raise DataFileError(
            f"{name} is not a whole IDX file: it states {ndim} dimensions and holds "
            f"{len(data)} bytes, of which the first {start} should give at least one size"
        )
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    expected = start + math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise DataFileError(
            f"{name} is {'too long' if len(data) > expected else 'truncated'}: its sizes "
            f"{' x '.join(map(str, shape))} of {dtype.name} need {expected:,} bytes, "
            f"and it holds {len(data):,}; get a whole copy"
        )
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))
