"""Softmax over the last axis of what a mask lets through, without a look at values.

The mask may have any shape that broadcasts: CuPy's kernels step through it with strides of 0.
"""

from __future__ import annotations

from typing import Any

import cupy as cp
import numpy as np

from minigrad.backend.kernels.rows import new, one_of, wide_dtype

# A bool mask hides a score, a floating one is added to it.
_MASKED = """
template <typename A, typename S>
__device__ A masked(S score, bool mask) {
    return mask ? (A)score : (A)__longlong_as_double(0xfff0000000000000LL);
}
template <typename A, typename S>
__device__ A masked(S score, A mask) { return (A)score + mask; }

template <typename A>
__device__ A larger(A a, A b) { return a > b || a != a ? a : b; }

// A row of which nothing is let through has -inf at the top; an infinite score gives NaN.
template <typename A>
__device__ A raised(A score, A top) {
    return isinf(top) && top < (A)0 ? (A)0 : exp(score - top);
}
"""

_TOP = cp.ReductionKernel(
    "S score, M mask", "A top", "masked<A>(score, mask)", "larger<A>(a, b)", "top = a",
    "__longlong_as_double(0xfff0000000000000LL)", "minigrad_masked_top", reduce_type="A",
    preamble=_MASKED,
)  # fmt: skip
_TOTAL = cp.ReductionKernel(
    "S score, M mask, A top", "A total", "raised<A>(masked<A>(score, mask), top)", "a + b",
    "total = a", "0", "minigrad_masked_total", reduce_type="A", preamble=_MASKED,
)  # fmt: skip
_SHARE = cp.ElementwiseKernel(
    "S score, M mask, A top, A total",
    "S y",
    "y = (S)(total == (A)0 ? (A)0 : raised<A>(masked<A>(score, mask), top) / total);",
    "minigrad_masked_share",
    preamble=_MASKED,
)
_ALONG = cp.ReductionKernel(
    "S g, S y", "A along", "(A)g * (A)y", "a + b", "along = a", "0", "minigrad_softmax_along",
    reduce_type="A",
)  # fmt: skip
_GRAD = cp.ElementwiseKernel(
    "S g, S y, A along",
    "S gx",
    "gx = (S)((A)y * ((A)g - along));",
    "minigrad_softmax_grad",
)


def masked_softmax(scores: Any, mask: Any, out: Any = None) -> Any:
    """Return the softmax over the last axis; a row of which nothing is let through becomes 0."""
    wide = wide_dtype(scores.dtype)
    (y,) = new(out, ((scores.shape, scores.dtype),))
    if mask is None:
        mask = one_of(True, np.bool_, cp.cuda.runtime.getDevice())
    elif mask.dtype.kind == "f":
        mask = mask.astype(wide, copy=False)
    rows = (*scores.shape[:-1], 1)
    top, total = cp.empty(rows, wide), cp.empty(rows, wide)
    if scores.size:
        _TOP(scores, mask, top, axis=-1, keepdims=True)
        _TOTAL(scores, mask, top, total, axis=-1, keepdims=True)
        _SHARE(scores, mask, top, total, y)
    return y


def masked_softmax_grad(g: Any, y: Any, out: Any = None) -> Any:
    """Return the gradient of the scores: ``y * (g - sum(g * y))`` over each row."""
    (gx,) = new(out, ((y.shape, y.dtype),))
    along = cp.empty((*y.shape[:-1], 1), wide_dtype(y.dtype))
    if y.size:
        _ALONG(g, y, along, axis=-1, keepdims=True)
        _GRAD(g, y, along, gx)
    return gx
