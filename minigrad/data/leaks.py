"""What a scaler remembers of the rows that it was fitted on, so that a leak can be told."""

from __future__ import annotations

import numpy as np

_KEPT = 1 << 16  # half a megabyte, however many rows there were


def row_hashes(x: np.ndarray) -> np.ndarray:
    """Return a 64-bit hash of each row's values: equal rows, as float64, have equal hashes."""
    words = (np.ascontiguousarray(x, np.float64) + 0.0).view(np.uint64)  # + 0.0: no negative zero
    hashes = np.full(len(x), 0x243F6A8885A308D3, np.uint64)
    for column in words.T:
        hashes = (hashes ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    return hashes


def sketch(x: np.ndarray) -> np.ndarray:
    """Return the smallest hashes of the rows, sorted: all of them up to 65,536 unlike rows."""
    return np.unique(row_hashes(x))[:_KEPT]


def seen_rows(x: np.ndarray, known: np.ndarray) -> tuple[int, int]:
    """Say how many rows of x are known, and of how many rows that can be told.

    Where more rows were seen than a sketch keeps, only rows with a hash in the sketch's range can
    be told: an even sample of all rows.
    """
    hashes = row_hashes(x)
    if len(known) == _KEPT:
        hashes = hashes[hashes <= known[-1]]
    return int(np.isin(hashes, known).sum()), len(hashes)
