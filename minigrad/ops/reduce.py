"""Reductions: sums, products, extrema and norms over axes.

``dim`` is None (all axes), an int or a tuple; ``keepdim`` leaves axes of size 1. A rule gets its
gradient with those axes gone, and puts them back with `restore` before it broadcasts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S, distinct
from minigrad.engine.op import op
from minigrad.engine.structural import broadcast_to, cast

Dim = int | tuple[int, ...] | None

AXES = (
    S((3, 4)),
    S((2, 3, 4), dim=1),
    S((2, 3, 4), dim=(0, -1), keepdim=True),
    S((2, 3, 4), dim=-1),
    S((5,), dim=0, keepdim=True),
    S(()),
)


def restore(g: Any, shape: tuple[int, ...], dim: Dim, keepdim: bool) -> Any:
    """Give the gradient of a reduction its reduced axes back, with size 1."""
    if keepdim:
        return g
    dims = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    gone = {d % len(shape) for d in dims} if shape else set()
    return g.reshape(tuple(1 if i in gone else n for i, n in enumerate(shape)))


@op(
    x=lambda g, dim, keepdim, x_shape: broadcast_to(restore(g, x_shape, dim, keepdim), x_shape),
    facts=Facts(
        lambda x, dim=None, keepdim=False: x.sum(axis=dim, keepdims=keepdim),
        (*AXES, S((0, 3), dim=0), S((2, 0))),
        analytic=True,
    ),
)
def sum(xp: Backend, x: Array, dim: Dim = None, keepdim: bool = False) -> Array:  # noqa: A001
    """Sum over axes; bools and small ints are summed as int64.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sum(mg.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    return xp.sum(x, axis=dim, keepdims=keepdim, dtype=None if x.dtype.kind == "f" else xp.int64)


def _amax_rule(g: Any, x: Any, y: Any, dim: Dim, keepdim: bool, x_shape: tuple[int, ...]) -> Any:
    hit = cast(x == restore(y, x_shape, dim, keepdim), g.dtype)
    return restore(g, x_shape, dim, keepdim) * hit / sum(hit, dim, keepdim=True)


@op(
    x=_amax_rule,
    facts=Facts(
        lambda x, dim=None, keepdim=False: x.max(axis=dim, keepdims=keepdim),
        [
            S(distinct((3, 4))),
            S(distinct((2, 3, 4)), dim=1),
            S(distinct((2, 3, 4)), dim=(0, -1), keepdim=True),
        ],
        convention="at ties the gradient is shared equally",
    ),
)
def amax(xp: Backend, x: Array, dim: Dim = None, keepdim: bool = False) -> Array:
    """Largest element over axes; equal largest elements share the gradient.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.amax(mg.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
    tensor([5., 4.])
    """
    return xp.max(x, axis=dim, keepdims=keepdim)
