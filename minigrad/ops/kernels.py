"""What the kernels of fused ops share: precision, sums of rows, and a safe shift for exp."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import Array
from minigrad.engine.dtypes import float16, float32


def wide(x: Any) -> Any:
    """Return float16 as float32, in which kernels compute, and other dtypes as they are."""
    return x.astype(float32) if x.dtype == float16 else x


def row_sums(xp: Any, x: Array) -> Array:
    """Return the sums over the last axis, which stays with size 1.

    A product with ones is 3 to 6x faster than ``x.sum(axis=-1)`` (1024x128: 7 against 31 us),
    but not on few elements.
    """
    if x.size < 512:
        return x.sum(axis=-1, keepdims=True)
    size = x.shape[-1]
    rows = x.reshape((math.prod(x.shape[:-1]), size))
    return (rows @ xp.ones(size, x.dtype)).reshape((*x.shape[:-1], 1))


def row_shift(xp: Any, x: Array) -> Any:
    """Return what to subtract from each row so that exp neither overflows nor vanishes.

    Row maxima are slow for short rows (46 us at 1024x10, where exp takes 5). Where all values are
    within 20 of each other one maximum serves all rows: exp stays above 2e-9. So this is a float,
    or the row maxima, with 0 in place of -inf.
    """
    if x.size == 0:
        return 0.0
    top, low = float(x.max()), float(x.min())
    if top - low < 20:
        return top
    peak = x.max(axis=-1, keepdims=True)
    return xp.where(peak == -math.inf, 0, peak)
