"""Matrices as wholes: inverse, solution of linear equations, determinant, norms.

They work on stacks of matrices in the last two axes, and in float32 and float64 only. What would
need derivatives of singular values (nuclear and spectral norm) is not offered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.ops.dims import check_dims
from minigrad.ops.extrema import amax, amin
from minigrad.ops.linalg import matmul
from minigrad.ops.reduce import norm, sum
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import squeeze, swapaxes

Shape = tuple[int, ...]


def _regular(*shape: int) -> Any:
    """Return a maker of matrices that are far from singular, of both signs of the determinant."""

    def make(rng: np.random.Generator) -> Any:
        return rng.uniform(-1, 1, shape) + 3 * np.eye(shape[-1])[::-1]

    return make


def _singular(n: int) -> Any:
    """Return a maker of matrices of rank n - 1."""

    def make(rng: np.random.Generator) -> Any:
        a = rng.uniform(-2, 2, (n, n))
        a[:, 0] = a[:, 1:] @ rng.uniform(-1, 1, n - 1)
        return a

    return make


def _check(A: Any) -> None:
    """Raise unless A is a stack of square matrices of floats."""
    if A.dtype.kind == "c":  # of a check by complex steps
        return
    if A.dtype.kind != "f" or A.dtype.itemsize < 4:
        raise TypeError(f"A must be float32 or float64, not {A.dtype}; convert it with .float()")
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(f"A must be a square matrix, or a stack of them, not {list(A.shape)}")


def _transposed(A: Any) -> Any:
    return swapaxes(A, -1, -2)


# ---- inverse, solve ----------------------------------------------------------------------------


def _inv_rule(g: Any, y: Any) -> Any:
    y = _transposed(y)
    return -matmul(y, matmul(g, y))


@op(
    A=_inv_rule,
    facts=Facts(
        np.linalg.inv,
        [S(_regular(3, 3)), S(_regular(2, 4, 2, 2)), S(_regular(1, 1)), S((0, 2, 2)), S((0, 0))],
        torch="linalg.inv",
        analytic=True,
        tolerance={"float64": 1e-11, "float32": 2e-5},  # the condition number's share
    ),
)
def linalg_inv(xp: Backend, A: Array) -> Array:
    """Inverse of a square matrix: ``(..., n, n) -> (..., n, n)``.

    To apply an inverse use `linalg_solve`, which is faster and more exact.

    Raises
    ------
    ValueError
        The matrix is not square, or singular.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.inv(mg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    _check(A)
    try:
        return xp.inv(A)
    except np.linalg.LinAlgError:
        raise ValueError(_SINGULAR) from None


_SINGULAR = (
    "the matrix is singular (its determinant is 0), so there is no inverse; if it should have one, "
    "look for equal or zero rows, or add a small multiple of the identity"
)


@op(
    cast="common",
    A=lambda g, A, y: -matmul(_solve(_transposed(A), g), _transposed(y)),
    B=lambda g, A: _solve(_transposed(A), g),
    hint=lambda shapes, options: None,  # the error says it
    facts=Facts(
        np.linalg.solve,
        [
            S(_regular(3, 3), (3, 2)),
            S(_regular(4, 2, 2), (4, 2, 3)),
            S(_regular(2, 1, 3, 3), (5, 3, 2)),
            S(_regular(2, 2), (4, 2, 1)),
            S((0, 2, 2), (0, 2, 3)),
        ],
        torch="",
        analytic=True,
        tolerance={"float64": 1e-11, "float32": 2e-5},
    ),
)
def _solve(xp: Backend, A: Array, B: Array) -> Array:
    """Solve ``A X = B`` for a matrix B, by an LU decomposition; leading axes broadcast."""
    _check(A)
    if B.ndim < 2 or A.shape[-1] != B.shape[-2]:
        raise ValueError(
            f"A X = B needs as many rows of B as A has: A is {list(A.shape)}, B {list(B.shape)}"
        )
    lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    A = xp.broadcast_to(A, (*lead, *A.shape[-2:]))
    try:
        return xp.solve(A, xp.broadcast_to(B, (*lead, *B.shape[-2:])))
    except np.linalg.LinAlgError:
        raise ValueError(_SINGULAR) from None


@composite(
    facts=Facts(
        lambda A, B, left=True: (
            B @ np.linalg.inv(A) if not left
            else np.linalg.solve(A, B) if B.shape != A.shape[:-1]
            else np.linalg.solve(A, B[..., None])[..., 0]
        ),
        [
            S(_regular(3, 3), (3, 2)),
            S(_regular(3, 3), (3,)),
            S(_regular(4, 2, 2), (4, 2)),
            S(_regular(2, 3, 3), (3, 2)),
            S(_regular(3, 3), (2, 3), left=False),
        ],
        torch="linalg.solve",
        analytic=True,
        tolerance={"float64": 1e-11, "float32": 2e-5},
    )
)  # fmt: skip
def linalg_solve(A: Array, B: Array, *, left: bool = True) -> Array:
    """Solution X of ``A X = B``, or of ``X A = B`` with ``left=False``.

    ``(..., n, n), (..., n, k) -> (..., n, k)``, leading axes broadcast. B may be one vector
    ``(n,)``, or a stack of vectors ``(..., n)`` as long as A's stack of matrices.

    Raises
    ------
    ValueError
        A is not square or singular, or B has another number of rows.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.solve(mg.tensor([[2.0, 0.0], [0.0, 4.0]]), mg.tensor([2.0, 2.0]))
    tensor([1. , 0.5])
    """
    if len(B.shape) == 1 or tuple(B.shape) == tuple(A.shape[:-1]):
        return _solve(A, B[..., None])[..., 0]
    return _solve(A, B) if left else _transposed(_solve(_transposed(A), _transposed(B)))


# ---- determinant -------------------------------------------------------------------------------


@op(
    A=lambda g, A: g[..., None, None] * linalg_cofactors(A),
    facts=Facts(
        np.linalg.det,
        [S(_regular(3, 3)), S(_regular(2, 2, 4, 4)), S((1, 1)), S((0, 2, 2)), S((0, 0))],
        torch="linalg.det",
        analytic=True,
        tolerance={"float64": 1e-11, "float32": 2e-5},
    ),
)
def linalg_det(xp: Backend, A: Array) -> Array:
    """Compute the determinant: ``(..., n, n) -> (...)``.

    The gradient is the matrix of cofactors, and right for a singular matrix as well. Higher
    derivatives go through the inverse, so they need a regular one.

    Raises
    ------
    ValueError
        The matrix is not square.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[1.0, 2.0], [3.0, 6.0]], requires_grad=True)
    >>> mg.linalg.det(x).backward()
    >>> x.grad.round(decimals=4)
    tensor([[ 6., -3.],
            [-2.,  1.]])
    """
    _check(A)
    return xp.linalg.det(A)


def _cofactors_rule(g: Any, A: Any, y: Any) -> Any:
    # y = det A^-T, so dy = y tr(A^-1 dA) - y dA^T A^-T
    inverse = _transposed(linalg_inv(A))
    share = sum(g * inverse, dim=(-2, -1), keepdim=True)
    return y * share - matmul(y, matmul(_transposed(g), inverse))


def _naive_cofactors(A: Any) -> Any:
    y = np.zeros_like(A)
    for i, j in np.ndindex(*A.shape[-2:]):
        minor = np.delete(np.delete(A, i, axis=-2), j, axis=-1)
        y[..., i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return y


@op(
    A=_cofactors_rule,
    facts=Facts(
        _naive_cofactors,
        [S(_regular(3, 3)), S(_regular(2, 2, 2)), S(_regular(1, 1)), S((0, 2, 2)), S((0, 0))],
        torch="",
        tolerance={"float64": 1e-11, "float32": 2e-5},
    ),
)
def linalg_cofactors(xp: Backend, A: Array) -> Array:
    """Matrix of cofactors, ``det(A) A^-T``, which exists for a singular A too.

    From the singular values ``A = U S V^T``: ``det(U) det(V) U P V^T``, where P has the products of
    all singular values but one.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.matrix import linalg_cofactors
    >>> linalg_cofactors(mg.tensor([[1.0, 2.0], [3.0, 6.0]])).round(decimals=4)
    tensor([[ 6., -3.],
            [-2.,  1.]])
    """
    _check(A)
    n = A.shape[-1]
    if A.size == 0:
        return A.copy()
    u, s, vt = xp.linalg.svd(A)
    others = xp.where(xp.eye(n, dtype=bool), xp.ones((), A.dtype), s[..., None, :]).prod(axis=-1)
    sign = xp.linalg.det(u) * xp.linalg.det(vt)
    return (u * (others * sign[..., None])[..., None, :]) @ vt


@op(
    facts=Facts(
        lambda A: np.linalg.slogdet(A)[0],
        [S(_regular(3, 3)), S(_regular(2, 4, 4)), S((0, 0))],
        order=0,
        torch="",
    )
)
def _det_sign(xp: Backend, A: Array) -> Array:
    """Sign of the determinant."""
    _check(A)
    return xp.linalg.slogdet(A)[0]


@op(
    A=lambda g, A: g[..., None, None] * _transposed(linalg_inv(A)),
    facts=Facts(
        lambda A: np.linalg.slogdet(A)[1],
        [S(_regular(3, 3)), S(_regular(2, 4, 4)), S(_regular(1, 1)), S((0, 2, 2)), S((0, 0))],
        torch="",
        tolerance={"float64": 1e-11, "float32": 2e-5},
    ),
)
def _log_abs_det(xp: Backend, A: Array) -> Array:
    """Logarithm of the determinant's absolute value, -inf for a singular matrix."""
    _check(A)
    return xp.linalg.slogdet(A)[1]


class SlogdetResult(NamedTuple):
    """Sign of a determinant, and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


@composite(
    facts=Facts(
        lambda A: tuple(np.linalg.slogdet(A)),
        [S(_regular(3, 3)), S(_regular(2, 4, 4))],
        torch="linalg.slogdet",
        tolerance={"float64": 1e-11, "float32": 2e-5},
    )
)
def linalg_slogdet(A: Array) -> SlogdetResult:
    """Sign of the determinant and logarithm of its absolute value, ``(..., n, n) -> (...), (...)``.

    It neither overflows nor vanishes for large matrices. The sign has no gradient; that of the
    logarithm is ``A^-T``, so it needs a regular matrix.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.slogdet(mg.tensor([[0.0, 1.0], [1.0, 0.0]]))
    SlogdetResult(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    return SlogdetResult(_det_sign(A), _log_abs_det(A))


# ---- norms -------------------------------------------------------------------------------------


def _matrix_norm(x: Any, ord: Any, dim: tuple[int, int], keepdim: bool) -> Any:
    """Return the matrix norm over two axes."""
    if ord in ("fro", None):
        return norm(x, 2, dim, keepdim)
    if isinstance(ord, str) or ord not in (1, -1, math.inf, -math.inf):
        known = "'fro', 1, -1, inf and -inf"
        problem = (
            f"the matrix norms are {known}, not {ord!r} (nuclear and spectral norm need the "
            "derivatives of singular values); for the norm of all elements flatten it first"
        )
        raise refuse("norm", problem, x)
    rows, columns = dim if abs(ord) == 1 else dim[::-1]  # summed over; searched for the extreme
    extreme = amax if ord > 0 else amin
    y = extreme(sum(abs(x), dim=rows, keepdim=True), dim=columns, keepdim=True)
    return y if keepdim else squeeze(y, dim)


@composite(
    facts=Facts(
        lambda A, ord=None, dim=None, keepdim=False: np.linalg.norm(A, ord, dim, keepdim),
        [
            S((4,)),
            S((2, 3, 4)),
            S((3, 4), ord=1),
            S((3, 4), ord=-1, keepdim=True),
            S((3, 4), ord=math.inf),
            S((3, 4), ord=-math.inf),
            S((2, 3, 4), ord="fro", dim=(0, 2)),
            S((2, 3, 4), ord=1, dim=(2, 0), keepdim=True),
            S((2, 3, 4), ord=math.inf, dim=(-1, -2)),
            S((2, 3, 4), ord=3, dim=1),
            S((2, 3, 4), ord=1, dim=-1, keepdim=True),
            S((4,), ord=math.inf),
            S((5,), ord=-math.inf),
            S((5,), ord=0.5),
            S((2, 3, 4), dim=1),
        ],
        torch="linalg.norm",
    )
)
def linalg_norm(
    A: Array,
    ord: Any = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
) -> Array:
    """Norm of vectors (over one axis) or of matrices (over two).

    Parameters
    ----------
    A : Tensor
        The elements.
    ord : number or "fro", optional
        For vectors: ``sum(|x|^ord)^(1/ord)``, inf for the largest, -inf for the smallest, 0 for how
        many are not 0. For matrices: "fro" (root of the sum of squares), 1 and inf (largest sum of
        a column and of a row), -1 and -inf (smallest). Default: 2 for vectors, "fro" for matrices.
    dim : int or two ints, optional
        The axis of the vectors, or the axes of the matrices. Default: all elements as one vector,
        or with an ``ord`` the array as it is, a vector or a matrix.
    keepdim : bool
        Leave axes of size 1.

    Raises
    ------
    ValueError
        A norm that is not offered: nuclear and spectral norm need derivatives of singular values.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[3.0, 4.0], [0.0, 12.0]])
    >>> mg.linalg.norm(x), mg.linalg.norm(x, dim=1), mg.linalg.norm(x, 1)
    (tensor(13.), tensor([ 5., 12.]), tensor(16.))
    """
    ndim = len(A.shape)
    if A.dtype.kind != "f":
        raise refuse("norm", "a norm needs floats; convert with .float()", A, kind=TypeError)
    if dim is None and ord is None:
        return norm(A, 2, None, keepdim)
    if dim is None:
        if ndim not in (1, 2):
            raise refuse("norm", f"ord={ord!r} needs a dim here, one axis or two", A)
        axes = tuple(range(ndim))
    else:
        axes = tuple(dim) if isinstance(dim, Sequence) else (dim,)
    if len(axes) == 1 or (ord is None and len(axes) != 2):
        if isinstance(ord, str):
            raise refuse("norm", f"ord={ord!r} is a norm of matrices: give two axes", A)
        return norm(A, 2 if ord is None else ord, axes, keepdim)
    if len(axes) != 2:
        raise refuse("norm", f"a norm is over one axis or two, not over {axes}", A)
    i, j = axes
    try:
        check_dims((i, j), ndim)
    except (IndexError, ValueError) as error:
        raise refuse("norm", error, A, kind=type(error)) from None
    return _matrix_norm(A, ord, (i % ndim, j % ndim), keepdim)
