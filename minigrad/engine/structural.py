"""The few ops that the engine itself needs: to fit a gradient to its operand, and to tie graphs."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import ELEMENTWISE_1, Facts, S
from minigrad.engine.op import op


@op(x=lambda g: g, facts=Facts(lambda x: x, ELEMENTWISE_1, analytic=True, torch=""))
def alias(xp: Backend, x: Array) -> Array:
    """Return x itself, as a node of its own in the graph.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.alias(mg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return x


@op(
    x=lambda g: g,  # the engine casts it back
    facts=Facts(
        lambda x, dtype: x.astype(dtype),
        [S((3, 4), dtype="float64"), S((), dtype="float64")],
        torch="",
    ),
)
def cast(xp: Backend, x: Array, dtype: Any) -> Array:
    """Return x with another dtype (the gradient comes back in x's own).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cast(mg.tensor([1.7, -1.7]), mg.int64)
    tensor([ 1, -1])
    """
    return x.astype(dtype)


@op(
    view=True,
    x=lambda g, x_shape: sum_to(g, x_shape),
    facts=Facts(
        lambda x, shape: np.broadcast_to(x, shape),
        [
            S((3, 1), shape=(2, 3, 4)),
            S((), shape=(2, 2)),
            S((3,), shape=(3,)),
            S((1, 3), shape=(0, 3)),
        ],
        analytic=True,
    ),
)
def broadcast_to(xp: Backend, x: Array, shape: tuple[int, ...]) -> Array:
    """Repeat x along new axes and axes of size 1 to reach ``shape``, without copying.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.broadcast_to(mg.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return xp.broadcast_to(x, shape)


@op(
    x=lambda g, x_shape: broadcast_to(g, x_shape),
    facts=Facts(
        lambda x, shape: _sum_to(np, x, shape),
        [
            S((2, 3, 4), shape=(3, 1)),
            S((2, 2), shape=()),
            S((3,), shape=(3,)),
            S((0, 3), shape=(1, 3)),
            S((0, 2, 0), shape=(0,)),
        ],
        analytic=True,
        torch="",
    ),
)
def sum_to(xp: Backend, x: Array, shape: tuple[int, ...]) -> Array:
    """Sum x over the axes that broadcasting would add or stretch to get from ``shape`` to x's.

    The transpose of `broadcast_to`: it brings the gradient of a broadcast operand back.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sum_to(mg.ones(2, 3), (3,))
    tensor([2., 2., 2.])
    """
    return _sum_to(xp, x, shape)


def kept_ones(xp: Any, n: int, x: Array) -> Array:
    """Return n ones for a product with x; on the CPU they are kept, since making them costs 1 us.

    They are not to be changed.
    """
    return _ones(n, x.dtype) if isinstance(x, np.ndarray) and n <= 4096 else xp.ones(n, x.dtype)


@lru_cache(maxsize=64)
def _ones(n: int, dtype: Any) -> Array:
    ones = np.ones(n, dtype)
    ones.flags.writeable = False
    return ones


def _sum_to(xp: Any, x: Array, shape: tuple[int, ...]) -> Array:
    lead = x.ndim - len(shape)
    if lead and x.shape[lead:] == shape:
        rows = x.reshape(math.prod(x.shape[:lead]), *shape) if lead > 1 else x
        if len(shape) == 1 and rows.dtype.kind == "f":  # a matrix product: 4x faster than sum
            return kept_ones(xp, len(rows), rows) @ rows
        return rows.sum(axis=0)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1
    )
    return x.sum(axis=axes).reshape(shape)
