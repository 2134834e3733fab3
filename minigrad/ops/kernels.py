"""What the kernels of fused ops share: precision, and sums and maxima of rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from minigrad.backend import Array
from minigrad.engine.dtypes import float16, float32
from minigrad.engine.structural import kept_ones

_BLOCK = 1 << 17  # elements of a block of rows: half a megabyte in float32


def wide(x: Any) -> Any:
    """Return float16 as float32, in which kernels compute, and other dtypes as they are."""
    return x.astype(float32) if x.dtype == float16 else x


def row_sums(xp: Any, x: Array) -> Array:
    """Return the sums over the last axis, which stays with size 1.

    A product with ones is 3 to 6x faster than ``x.sum(axis=-1)`` (1024x128: 7 against 31 us),
    but not on few elements, and not on a GPU. Long rows are summed in pairs, more precisely.
    """
    size = x.shape[-1]
    if x.size < 32 or size > 2048 or xp.kernels is not None:
        return x.sum(axis=-1, keepdims=True)
    rows = x.reshape((math.prod(x.shape[:-1]), size))
    return (rows @ kept_ones(xp, size, x)).reshape((*x.shape[:-1], 1))


def row_max(xp: Any, x: Array) -> Array:
    """Return the maxima over the last axis, which stays with size 1.

    Rows of up to 128 are folded in halves, down to 32 or less, and copied to columns: NumPy is slow
    on short rows (1024x10: 7 against 46 us; 1563x64: 67 against 92).
    """
    size = x.shape[-1]
    if size > 128 or x.size < 64 or xp.kernels is not None:
        return x.max(axis=-1, keepdims=True)
    rows = x.reshape((math.prod(x.shape[:-1]), size))
    while size > 32 and size % 2 == 0:
        size //= 2
        rows = xp.maximum(rows[:, :size], rows[:, size:])
    return xp.ascontiguousarray(rows.T).max(axis=0).reshape((*x.shape[:-1], 1))


def row_blocks(xp: Any, count: int, size: int) -> Iterator[slice]:
    """Cut rows of a size into blocks that stay in the cache; on a GPU they are one."""
    step = count if xp.kernels is not None else max(_BLOCK // max(size, 1), 1)
    for start in range(0, count, max(step, 1)):
        yield slice(start, start + step)


def softmax_slope(xp: Any, g: Array, y: Array) -> Array:
    """Return the gradient of the scores of a softmax over the last axis: y (g - sum(g y))."""
    rows = wide(y).reshape((math.prod(y.shape[:-1]), y.shape[-1]))
    g = wide(g).reshape(rows.shape)
    out = xp.empty(rows.shape, rows.dtype)
    for part in row_blocks(xp, *rows.shape):
        o, p, q = out[part], g[part], rows[part]
        xp.subtract(p, xp.row_dots(p, q)[:, None], o)
        o *= q
    return out.reshape(y.shape)


def log_softmax_slope(xp: Any, g: Array, y: Array) -> Array:
    """Return the gradient of the scores of a log softmax over the last axis."""
    rows = wide(y).reshape((math.prod(y.shape[:-1]), y.shape[-1]))
    g = wide(g).reshape(rows.shape)
    out = xp.empty(rows.shape, rows.dtype)
    for part in row_blocks(xp, *rows.shape):
        o, p = out[part], g[part]
        xp.exp(rows[part], o)
        o *= row_sums(xp, p)
        xp.subtract(p, o, o)
    return out.reshape(y.shape)


def add_to_rows(xp: Any, rows: Array, v: Array) -> None:
    """Add v to every row of a contiguous matrix, in place.

    NumPy is slow on short rows, so several make one (65536x32: 0.62 -> 0.32 ms).
    """
    count, size = rows.shape
    short = size <= 256 and rows.size >= 32768 and xp.kernels is None
    folds = math.gcd(count, 512 // size) if short else 1
    if folds > 1:
        rows = rows.reshape((count // folds, folds * size))
        v = xp.tile(v, folds)
    rows += v
