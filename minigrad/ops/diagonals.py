"""Triangles and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import composite, op
from minigrad.ops.convert import clone
from minigrad.ops.dims import Shape, check_dim, checked
from minigrad.ops.refuse import refuse

__all__ = ["diag", "diag_embed", "diagonal", "tril", "triu"]


def _check_matrix(x: Any) -> None:
    if x.ndim < 2:
        raise ValueError(f"a triangle needs a matrix, x has {x.ndim} axes; add one with unsqueeze")


@op(
    x=lambda g, diagonal: tril(g, diagonal),
    facts=Facts(
        lambda x, diagonal=0: np.tril(x, diagonal),
        [S((3, 3)), S((2, 3), diagonal=1), S((2, 4, 3), diagonal=-1), S((0, 3))],
        analytic=True,
    ),
)
def tril(xp: Backend, x: Array, diagonal: int = 0) -> Array:
    """Keep the lower triangle of matrices (the last two axes), 0 elsewhere.

    ``diagonal`` is the last one kept: 0 the main one, 1 the one above it, -1 the one below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.ones(2, 3).tril()
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    _check_matrix(x)
    return xp.tril(x, diagonal)


@op(
    x=lambda g, diagonal: triu(g, diagonal),
    facts=Facts(
        lambda x, diagonal=0: np.triu(x, diagonal),
        [S((3, 3)), S((2, 3), diagonal=1), S((2, 4, 3), diagonal=-1), S((0, 3))],
        analytic=True,
    ),
)
def triu(xp: Backend, x: Array, diagonal: int = 0) -> Array:
    """Keep the upper triangle of matrices (the last two axes), 0 elsewhere.

    ``diagonal`` is the first one kept: 0 the main one, 1 the one above it, -1 the one below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.ones(2, 3).triu(1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    _check_matrix(x)
    return xp.triu(x, diagonal)


def _plane(dim1: Any, dim2: Any, ndim: int) -> tuple[int, int]:
    """Return the two different axes that hold the matrices."""
    if ndim < 2:
        raise IndexError(f"a diagonal needs two axes, the tensor has {ndim}")
    first, second = check_dim(dim1, ndim), check_dim(dim2, ndim)
    if first == second:
        raise ValueError(f"dim1 {dim1} and dim2 {dim2} are the same axis")
    return first, second


@op(
    view=True,
    x=lambda g, offset, dim1, dim2, x_shape: _on_diagonal(g, x_shape, offset, dim1, dim2),
    facts=Facts(
        lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
        [
            S((3, 3)),
            S((2, 4), offset=1),
            S((4, 2), offset=-2),
            S((2, 3, 4), dim1=-1, dim2=0),
            S((2, 3), offset=5),
        ],
        analytic=True,
    ),
)
def diagonal(xp: Backend, x: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """Return a diagonal of the matrices in two axes, as a view; it is the result's last axis.

    ``offset`` counts upwards: 1 is the diagonal above the main one.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]]).diagonal()
    tensor([1, 4])
    """
    return xp.diagonal(x, offset, *_plane(dim1, dim2, x.ndim))


def _embed_reference(x: Any, shape: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    y = np.zeros(shape)
    for i in range(x.shape[-1]):
        place = [slice(None)] * len(shape)
        place[dim1], place[dim2] = i + max(-offset, 0), i + max(offset, 0)  # type: ignore[call-overload]
        y[tuple(place)] = x[..., i]
    return y


@op(
    x=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2),
    facts=Facts(
        _embed_reference,
        [
            S((2,), shape=(2, 3)),
            S((3, 2), shape=(4, 3, 2), offset=-2, dim1=0, dim2=2),
            S((0,), shape=(2, 2), offset=5),
        ],
        torch="",
    ),
)
def _on_diagonal(
    xp: Backend, x: Array, shape: Shape, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Array:
    """Return zeros of ``shape`` with x on a diagonal: the transpose of `diagonal`."""
    y = xp.zeros(shape, x.dtype)
    along = xp.arange(x.shape[-1])
    matrices = xp.moveaxis(y, _plane(dim1, dim2, len(shape)), (-2, -1))
    matrices[..., along + max(-offset, 0), along + max(offset, 0)] = x
    return y


def _diag_embed_reference(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    n = x.shape[-1] + abs(offset)
    y = np.zeros((*x.shape[:-1], n, n))
    for i in range(x.shape[-1]):
        y[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


@composite(
    facts=Facts(
        _diag_embed_reference,
        [S((3,)), S((2, 3), offset=1), S((2, 3), offset=-1, dim1=0, dim2=-1), S((2, 0))],
    )
)
def diag_embed(x: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Make square matrices with x's last axis on a diagonal, 0 elsewhere.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.diag_embed(mg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if len(x.shape) == 0:
        raise refuse("diag_embed", "a 0-d tensor has no axis to put on a diagonal", x)
    first, second = checked("diag_embed", x, _plane, dim1, dim2, len(x.shape) + 1)
    size = x.shape[-1] + abs(offset)
    shape = list(x.shape[:-1])
    for axis in sorted((first, second)):
        shape.insert(axis, size)
    return _on_diagonal(x, tuple(shape), offset, first, second)


@composite(
    facts=Facts(
        lambda x, diagonal=0: np.diag(x, diagonal),
        [S((3,)), S((2,), diagonal=1), S((2,), diagonal=-2), S((2, 3)), S((3, 3), diagonal=-1)],
    )
)
def diag(x: Array, diagonal: int = 0) -> Array:
    """Make a matrix with a vector on its diagonal; of a matrix, return the diagonal as a copy.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.diag(mg.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if len(x.shape) == 1:
        return diag_embed(x, diagonal)
    if len(x.shape) == 2:
        return clone(_diagonal(x, diagonal))
    problem = (
        "it is neither a vector nor a matrix; of matrices in the last two axes take "
        ".diagonal(0, -2, -1), and make them with diag_embed"
    )
    raise refuse("diag", problem, x)


_diagonal = diagonal  # the name is a parameter's in `diag`
