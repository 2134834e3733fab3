"""Sorting and ranking.

The order is always stable: equal entries keep their order, also in a descending sort. NaN counts
as larger than any number. Values are taken by index, so their gradient goes to the entries that
they came from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S, distinct
from minigrad.engine.op import composite, op
from minigrad.ops.dims import check_dim, check_int, checked
from minigrad.ops.index import gather
from minigrad.ops.refuse import refuse
from minigrad.ops.shape import part

__all__ = ["argsort", "sort", "topk"]


class Selected(NamedTuple):
    """Entries that were selected along an axis, and where they were."""

    values: Any
    indices: Any


def _order(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    if x.ndim == 0:
        return np.zeros((), int)
    return np.argsort(-x if descending else x, axis=dim, kind="stable")


def _sorted(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    order = _order(x, dim, descending)
    return (np.take_along_axis(x, order, axis=dim) if x.ndim else x), order


@op(
    facts=Facts(
        _order,
        [
            S((5,)),
            S((3, 4), dim=0),
            S((3, 4), descending=True),
            S((2, 3, 4), dim=-2, descending=True, stable=True),
            S(lambda rng: np.array([1.0, 0.0, 1.0, 0.0]), descending=True, stable=True),
            S(()),
            S((0, 3), dim=0),
        ],
        order=0,
    )
)
def argsort(
    xp: Backend, x: Array, dim: int = -1, descending: bool = False, stable: bool = False
) -> Array:
    """Return the int64 indices that sort x along an axis; always stable, whatever ``stable`` says.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.argsort(mg.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    axis = check_dim(dim, x.ndim)
    if x.ndim == 0:
        return xp.zeros((), xp.int64)
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable").astype(xp.int64, copy=False)
    last = x.shape[axis] - 1  # sorted upwards from the other end, equal entries come out in order
    order = xp.flip(xp.argsort(xp.flip(x, axis), axis=axis, kind="stable"), axis)
    return last - order.astype(xp.int64, copy=False)


@composite(
    facts=Facts(
        _sorted,
        [
            S(distinct((5,))),
            S(distinct((3, 4)), dim=0),
            S(distinct((3, 4)), descending=True),
            S(distinct((2, 3, 4)), dim=-2, descending=True, stable=True),
            S(()),
            S((0, 3), dim=0),
        ],
    )
)
def sort(x: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Selected:
    """Sort along an axis; return ``(values, indices)``.

    Always stable, whatever ``stable`` says; NaN is the largest.

    Examples
    --------
    >>> import minigrad as mg
    >>> values, indices = mg.sort(mg.tensor([3.0, 1.0, 2.0]))
    >>> values, indices
    (tensor([1., 2., 3.]), tensor([1, 2, 0]))
    """
    order = argsort(x, dim, descending, stable)
    return Selected(gather(x, dim, order), order)


def _topk_reference(
    x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Any:
    values, order = _sorted(x, dim, largest)
    axis = dim % x.ndim
    first = (slice(None),) * axis + (slice(k),)
    return values[first], order[first]


@composite(
    facts=Facts(
        _topk_reference,
        [
            S(distinct((5,)), k=2),
            S(distinct((3, 4)), k=3, dim=0),
            S(distinct((3, 4)), k=1, dim=-1, largest=False),
            S((3,), k=0),
        ],
    )
)
def topk(
    x: Array,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
) -> Selected:
    """Return the k largest entries along an axis (or smallest), and their indices.

    They come in order, whatever ``sorted`` says; among equal entries the first ones are taken.

    Raises
    ------
    ValueError
        The axis has fewer than k entries.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.topk(mg.tensor([3.0, 1.0, 2.0]), 2).indices
    tensor([0, 2])
    """
    ndim = len(x.shape)
    axis = checked("topk", x, check_dim, dim, ndim)
    size = x.shape[axis] if ndim else 1
    if not 0 <= checked("topk", x, check_int, k, "k") <= size:
        raise refuse("topk", f"k={k} is not between 0 and {size}, the length of dim {dim}", x)
    order = argsort(x, dim, largest)
    if ndim:
        order = part(order, axis, 0, k)
    return Selected(gather(x, dim, order), order)
