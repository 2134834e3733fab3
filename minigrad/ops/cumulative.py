"""Running sums and products along an axis.

The derivative of a running product must not divide by x, which may be 0. It is a linear
recurrence, run backwards, and the recurrence is its own kind of derivative, so all orders follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.dtypes import DType, check_dtype
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.ops.dims import Shape, check_dim, check_int, checked
from minigrad.ops.joining import cat
from minigrad.ops.pad import pad
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import flip, part

__all__ = ["cumprod", "cumsum", "diff"]


def converted(x: Array, dtype: DType | None) -> Array:
    """Return x in the dtype that was asked for; complex numbers, as the tests use them, stay so."""
    if dtype is None or x.dtype.kind == "c":
        return x
    return x.astype(check_dtype(dtype), copy=False)


def _accumulated(xp: Backend, ufunc: Any, x: Array, dim: int, dtype: DType) -> Array:
    """Return running sums or products; those of floats in float64, as their errors add up."""
    axis = check_dim(dim, x.ndim)
    x = converted(x, dtype)
    wide = {"b": xp.int64, "i": xp.int64, "u": xp.int64, "f": xp.float64}.get(x.dtype.kind)
    result = x.dtype if x.dtype.kind in "fc" or dtype is not None else xp.int64
    y = ufunc(x if x.ndim else x.reshape(1), axis=axis, dtype=wide)
    return y.astype(result, copy=False).reshape(x.shape)


@op(
    x=lambda g, dim: flip(cumsum(flip(g, dim), dim), dim),
    facts=Facts(
        lambda x, dim, dtype=None: np.cumsum(x, axis=dim, dtype=dtype).reshape(x.shape),
        [
            S((5,), dim=0),
            S((2, 3), dim=1),
            S((2, 3, 4), dim=-2),
            S((), dim=0),
            S((0, 3), dim=0),
            S((2, 3), dim=0, dtype="float64"),
        ],
        analytic=True,
        formula="y_k = x_0 + ... + x_k",
    ),
)
def cumsum(xp: Backend, x: Array, dim: int, dtype: DType | None = None) -> Array:
    """Sum of the entries up to each one along an axis; of ints and bools in int64.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cumsum(mg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    return _accumulated(xp, xp.cumsum, x, dim, dtype)


def delayed(x: Any, dim: int, first: float) -> Any:
    """Return x one place later along an axis: ``first`` before all but the last entry."""
    axis = check_dim(dim, len(x.shape))
    kept = part(x, axis, 0, x.shape[axis] - 1)
    return pad(kept, (0, 0) * (len(x.shape) - 1 - axis) + (1, 0), value=first)


def _recurrence_backward(g: Any, a: Any, dim: int) -> Any:
    """Return s with ``s_k = g_k + a_(k+1) s_(k+1)``."""
    return flip(_recurrence(delayed(flip(a, dim), dim, 0.0), flip(g, dim), dim), dim)


@op(
    a=lambda g, a, y, dim: _recurrence_backward(g, a, dim) * delayed(y, dim, 0.0),
    b=lambda g, a, dim: _recurrence_backward(g, a, dim),
    facts=Facts(
        lambda a, b, dim: _recurrence_reference(a, b, dim),
        [S((5,), (5,), dim=0), S((2, 3), (2, 3), dim=-1), S((4, 1), (4, 1), dim=0)],
        torch="",
        formula="y_0 = b_0, y_k = a_k y_(k-1) + b_k",
    ),
)
def _recurrence(xp: Backend, a: Array, b: Array, dim: int) -> Array:
    """Return y with ``y_k = a_k y_(k-1) + b_k``, in log2(n) steps that double their reach."""
    a = xp.moveaxis(a, dim, 0).copy()
    y = xp.moveaxis(b, dim, 0).copy()
    step = 1
    while step < len(y):
        y[step:] += a[step:] * y[:-step]
        a[step:] *= a[:-step].copy()
        step *= 2
    return xp.moveaxis(y, 0, dim)


def _recurrence_reference(a: Any, b: Any, dim: int) -> Any:
    a, y = np.moveaxis(a, dim, 0), np.moveaxis(b, dim, 0).copy()
    for k in range(1, len(y)):
        y[k] += a[k] * y[k - 1]
    return np.moveaxis(y, 0, dim)


def _cumprod_rule(g: Any, x: Any, y: Any, dim: int, x_shape: Shape) -> Any:
    """Gradient of x_i: the product before it, times a sum over the products that go on after it."""
    if 0 in x_shape or not x_shape:
        return g
    return delayed(y, dim, 1.0) * _recurrence_backward(g, x, dim)


@op(
    x=_cumprod_rule,
    facts=Facts(
        lambda x, dim, dtype=None: np.cumprod(x, axis=dim, dtype=dtype).reshape(x.shape),
        [
            S((5,), dim=0),
            S((2, 3), dim=1),
            S((2, 3, 4), dim=-2),
            S((), dim=0),
            S((0, 3), dim=0),
            S((1, 3), dim=1),
            S(lambda rng: np.array([0.5, 0.0, 2.0, 0.0, 1.5, -1.0]), dim=0),
            S((2, 3), dim=0, dtype="float64"),
        ],
        analytic=True,
        formula="y_k = x_0 ... x_k",
    ),
)
def cumprod(xp: Backend, x: Array, dim: int, dtype: DType | None = None) -> Array:
    """Product of the entries up to each one along an axis; of ints and bools in int64.

    Its derivatives are right where entries are 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cumprod(mg.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    return _accumulated(xp, xp.cumprod, x, dim, dtype)


def _diff_reference(
    x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    more = {k: v for k, v in {"prepend": prepend, "append": append}.items() if v is not None}
    return np.diff(x, n, axis=dim, **more)


@composite(
    facts=Facts(
        _diff_reference,
        [
            S((5,)),
            S((2, 4), n=2, dim=1),
            S((3, 2), dim=0),
            S((3,), n=0),
            S((2,), n=3),
        ],
        analytic=True,
    )
)
def diff(
    x: Array,
    n: int = 1,
    dim: int = -1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """Differences of neighbours along an axis, taken n times; each time it gets shorter by one.

    ``prepend`` and ``append`` are joined to x first. Of bools: whether neighbours differ.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.diff(mg.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    if len(x.shape) == 0:
        raise refuse("diff", "a 0-d tensor has no neighbours", x)
    if checked("diff", x, check_int, n, "n") < 0:
        raise refuse("diff", f"n must not be negative, it is {n}", x)
    axis = checked("diff", x, check_dim, dim, len(x.shape))
    joined = [y for y in (prepend, x, append) if y is not None]
    if len(joined) > 1:
        x = cat(joined, axis)
    for _ in range(n):
        size = max(x.shape[axis] - 1, 0)
        later, earlier = part(x, axis, 1, size), part(x, axis, 0, size)
        x = later != earlier if x.dtype.kind == "b" else later - earlier
    return x
