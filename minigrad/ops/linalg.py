"""Matrix products: `matmul` is the one op with derivatives, the others say what they mean by it."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.dtypes import float16
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.ops.diagonals import diagonal
from minigrad.ops.kernels import wide
from minigrad.ops.reduce import sum
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import permute, swapaxes

__all__ = ["bmm", "dot", "inner", "kron", "matmul", "mm", "mv", "outer", "tensordot", "trace"]

Shape = tuple[int, ...]
Dims = int | Sequence[Any]


# ---- matmul ------------------------------------------------------------------------------------


def product(xp: Backend, a: Array, b: Array) -> Array:
    """Return ``a @ b`` of arrays.

    Batches against one matrix are one large product. NumPy has no fast product of float16, so
    there it is computed in float32 (90 times faster at 256x256, and no less exact).
    """
    if a.dtype == float16 and xp.name == "numpy":
        return product(xp, wide(a), wide(b)).astype(float16)
    if b.ndim == 2 and a.ndim > 2:
        rows = a.reshape(math.prod(a.shape[:-1]), a.shape[-1])
        return product(xp, rows, b).reshape(*a.shape[:-1], b.shape[-1])
    # A BLAS may raise the flag of an invalid number although all are finite (seen for 2x5 by 5x1)
    return xp.quietly(xp.matmul, a, b)


def _left(g: Any, b: Any, a_shape: Shape) -> Any:
    """Gradient of the left operand: ``g b^T``, with vectors as matrices."""
    if len(b.shape) == 1:
        g, b = g[..., None], b[:, None]
    if len(a_shape) == 1:
        g = g[..., None, :]
    y = matmul(g, swapaxes(b, -1, -2))
    return y[..., 0, :] if len(a_shape) == 1 else y


def _right(g: Any, a: Any, b_shape: Shape) -> Any:
    """Gradient of the right operand: ``a^T g``, with vectors as matrices."""
    if len(b_shape) == 1:
        g = g[..., None]
    if len(a.shape) == 1:
        g, a = g[..., None, :], a[None]
    if len(b_shape) <= 2 and len(a.shape) > 2:  # one matrix for all batches: one product
        a = a.reshape((math.prod(a.shape[:-1]), a.shape[-1]))
        g = g.reshape((math.prod(g.shape[:-1]), g.shape[-1]))
    y = matmul(swapaxes(a, -1, -2), g)
    return y[..., 0] if len(b_shape) == 1 else y


def _hint(shapes: list[Shape], options: dict[str, Any]) -> str | None:
    if len(shapes) < 2:
        return "the other operand must be a Tensor or an array"
    a, b = shapes
    if not a or not b:
        return "matmul needs at least one axis on each side; use * to scale by a number"
    axis = -2 if len(b) > 1 else -1
    if a[-1] != b[axis]:
        which = "the axis before the last" if len(b) > 1 else "the only axis"
        text = f"the last axis of a is {a[-1]}, {which} of b is {b[axis]}, and they must be equal"
        if len(b) > 1 and a[-1] == b[-1]:
            text += "; b.mT (b transposed) would fit"
        elif len(a) > 1 and a[-2] == b[axis]:
            text += "; a.mT (a transposed) would fit"
        return text
    return f"the batch axes {list(a[:-2])} and {list(b[:-2])} do not broadcast together"


@op(
    cast="common",
    a=_left,
    b=_right,
    hint=_hint,
    facts=Facts(
        np.matmul,
        [
            S((3, 4), (4, 5)),
            S((4,), (4,)),
            S((3, 4), (4,)),
            S((4,), (4, 5)),
            S((2, 3, 4), (2, 4, 5)),
            S((5, 2, 3), (3, 4)),
            S((2, 5, 2, 3), (3, 4)),
            S((2, 3), (5, 3, 4)),
            S((2, 1, 3, 4), (5, 4, 2)),
            S((4,), (2, 4, 5)),
            S((2, 3, 4), (4,)),
            S((0, 3), (3, 2)),
            S((2, 0), (0, 3)),
            S((0, 2, 3), (3, 4)),
            S((2, 0, 3), (1, 3, 2)),
            S((0,), (0,)),
        ],
        analytic=True,
        formula="y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]",
    ),
)
def matmul(xp: Backend, a: Array, b: Array) -> Array:
    """Matrix product; leading axes are batches and broadcast.

    ``(..., n, k) @ (..., k, m) -> (..., n, m)``; a 1-d left operand is a row, a 1-d right operand
    a column, and the axis added for that is dropped again.

    Raises
    ------
    ValueError
        The inner axes differ, or the batch axes do not broadcast.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1.0, 2.0], [3.0, 4.0]]) @ mg.tensor([1.0, 10.0])
    tensor([21., 43.])
    """
    return product(xp, a, b)


# ---- its special cases -------------------------------------------------------------------------


def _special(name: str, a: Any, b: Any, axes: tuple[int, int]) -> Any:
    """Return ``a @ b`` of operands that must have these numbers of axes."""
    got = len(a.shape), len(b.shape)
    if got != axes:
        problem = "expected {}-d and {}-d, got {}-d and {}-d; use matmul for other ranks"
        raise refuse(name, problem.format(*axes, *got), a, b)
    if a.shape[-1] != b.shape[-2 if axes[1] > 1 else -1]:
        raise refuse(name, _hint([tuple(a.shape), tuple(b.shape)], {}), a, b)
    return matmul(a, b)


@composite(facts=Facts(np.dot, [S((4,), (4,)), S((1,), (1,)), S((0,), (0,))], analytic=True))
def dot(a: Array, b: Array) -> Array:
    """Sum of the products of two vectors.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.dot(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _special("dot", a, b, (1, 1))


@composite(facts=Facts(np.matmul, [S((3, 4), (4,)), S((2, 0), (0,))], analytic=True))
def mv(a: Array, vec: Array) -> Array:
    """Product of a matrix and a vector.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.mv(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), mg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    return _special("mv", a, vec, (2, 1))


@composite(facts=Facts(np.matmul, [S((3, 4), (4, 5)), S((0, 2), (2, 3))], analytic=True))
def mm(a: Array, mat2: Array) -> Array:
    """Product of two matrices.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.mm(mg.tensor([[1.0, 2.0]]), mg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    return _special("mm", a, mat2, (2, 2))


@composite(
    facts=Facts(np.matmul, [S((2, 3, 4), (2, 4, 5)), S((0, 2, 3), (0, 3, 2))], analytic=True)
)
def bmm(a: Array, mat2: Array) -> Array:
    """Products of two equally long batches of matrices; nothing broadcasts.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.bmm(mg.tensor([[[1.0, 2.0]]]), mg.tensor([[[3.0], [4.0]]]))
    tensor([[[11.]]])
    """
    if len(a.shape) == len(mat2.shape) == 3 and a.shape[0] != mat2.shape[0]:
        counts = f"{a.shape[0]} and {mat2.shape[0]}"
        problem = f"the batches have {counts} matrices; use matmul to broadcast a batch of 1"
        raise refuse("bmm", problem, a, mat2)
    return _special("bmm", a, mat2, (3, 3))


@composite(facts=Facts(np.outer, [S((3,), (4,)), S((0,), (2,))], analytic=True))
def outer(a: Array, vec2: Array) -> Array:
    """All products of the elements of two vectors, as a matrix.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.outer(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if len(a.shape) != 1 or len(vec2.shape) != 1:
        raise refuse("outer", "both must be vectors; flatten them first", a, vec2)
    return a[:, None] * vec2


@composite(
    facts=Facts(
        np.inner, [S((4,), (4,)), S((2, 4), (3, 4)), S((2, 4), (4,)), S((), (3,))], analytic=True
    )
)
def inner(a: Array, b: Array) -> Array:
    """Sum of products over the last axis of each; for matrices ``a @ b^T``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.inner(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), mg.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    if not a.shape or not b.shape:
        return a * b
    return tensordot(a, b, ([-1], [-1]))


def _contracted(a: Shape, b: Shape, dims: Dims) -> tuple[list[int], list[int]]:
    """Return the axes of each operand that are summed over, or raise `ValueError`."""
    if isinstance(dims, Sequence):
        pair = [list(d) if isinstance(d, Sequence) else [d] for d in dims]
        if len(pair) != 2 or len(pair[0]) != len(pair[1]):
            raise ValueError(f"dims must be a number, or two equally long lists, not {dims!r}")
    else:
        count = operator.index(dims)
        if not 0 <= count <= min(len(a), len(b)):
            raise ValueError(f"cannot sum over {count} axes: there are {len(a)} and {len(b)}")
        pair = [list(range(len(a) - count, len(a))), list(range(count))]
    for which, shape, axes in zip("ab", (a, b), pair, strict=True):
        if any(not -len(shape) <= d < len(shape) for d in axes):
            raise IndexError(f"dims {axes} of {which} do not exist: it has {len(shape)} axes")
        axes[:] = [d % len(shape) for d in axes]
        if len(set(axes)) < len(axes):
            raise ValueError(f"dims {axes} of {which} name an axis twice")
    for i, j in zip(*pair, strict=True):
        if a[i] != b[j]:
            raise ValueError(f"axis {i} of a is {a[i]}, axis {j} of b is {b[j]}: not equal")
    return pair[0], pair[1]


@composite(
    facts=Facts(
        lambda a, b, dims=2: np.tensordot(a, b, dims),
        [
            S((2, 3, 4), (3, 4, 5)),
            S((2, 3), (3, 4), dims=1),
            S((2,), (3, 4), dims=0),
            S((2, 3, 4), (4, 5, 2), dims=([0, -1], [2, 0])),
            S((2, 3), (2, 3), dims=2),
            S((0, 3), (3, 2), dims=1),
        ],
        analytic=True,
    )
)
def tensordot(a: Array, b: Array, dims: Dims = 2) -> Array:
    """Sum of products over some axes of each operand; the other axes stay, those of a first.

    ``dims`` says how many: the last ones of a with the first ones of b; or which: a list for each.

    Raises
    ------
    ValueError
        The axes have different lengths, or different numbers of them are named.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensordot(mg.ones(2, 3), mg.ones(4, 3), dims=([1], [1])).shape
    (2, 4)
    """
    try:
        left, right = _contracted(tuple(a.shape), tuple(b.shape), dims)
    except (ValueError, IndexError) as error:
        raise refuse("tensordot", error, a, b, kind=type(error)) from None
    rows = [i for i in range(len(a.shape)) if i not in left]
    columns = [i for i in range(len(b.shape)) if i not in right]
    shape = [*(a.shape[i] for i in rows), *(b.shape[i] for i in columns)]
    depth = math.prod(a.shape[i] for i in left)
    height, width = math.prod(a.shape[i] for i in rows), math.prod(b.shape[i] for i in columns)
    a = permute(a, (*rows, *left)).reshape((height, depth))
    b = permute(b, (*right, *columns)).reshape((depth, width))
    return matmul(a, b).reshape(tuple(shape))


@composite(
    facts=Facts(np.trace, [S((3, 3)), S((2, 4)), S((3, 1)), S((0, 0))], analytic=True)
)  # fmt: skip
def trace(x: Array) -> Array:
    """Sum of a matrix's diagonal.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.trace(mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if len(x.shape) != 2:
        raise refuse("trace", "x must be a matrix; einsum('...ii->...', x) takes batches", x)
    return sum(diagonal(x))


@composite(
    facts=Facts(
        np.kron,
        [S((2, 3), (2, 2)), S((3,), (2,)), S((2,), (3, 2)), S((2, 1, 2), (2, 3)), S((), (2,))],
        analytic=True,
    )
)
def kron(a: Array, b: Array) -> Array:
    """Kronecker product: every element of a, replaced by itself times b.

    The shorter shape is filled up with ones in front.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.kron(mg.tensor([1.0, 10.0]), mg.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    ndim = max(len(a.shape), len(b.shape))
    one = (1,) * (ndim - len(a.shape)) + tuple(a.shape)
    two = (1,) * (ndim - len(b.shape)) + tuple(b.shape)
    y = a.reshape(tuple(n for size in one for n in (size, 1))) * b.reshape(
        tuple(n for size in two for n in (1, size))
    )
    return y.reshape(tuple(n * m for n, m in zip(one, two, strict=True)))
