"""Largest, smallest and middle elements, and where they are.

Over all axes, or several, equal elements share the gradient. Along one axis ``(values, indices)``
are returned, and the gradient goes to the element at the index: the first of equal ones.
A NaN among the elements is the result, and takes the gradient.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, is_array
from minigrad.engine.facts import Facts, S, at, distinct
from minigrad.engine.op import composite, op
from minigrad.engine.structural import cast, sum_to
from minigrad.engine.tensor import Tensor
from minigrad.ops.compare import maximum, minimum
from minigrad.ops.dims import Dim, Shape, check_dim, checked, count_reduced, numpy_axis, restore
from minigrad.ops.index import gather
from minigrad.ops.shape import squeeze
from minigrad.ops.sorting import Selected

__all__ = ["amax", "amin", "argmax", "argmin", "max", "median", "min"]


def _shared_rule(g: Any, x: Any, y: Any, dim: Dim, keepdim: bool, x_shape: Shape) -> Any:
    """Share the gradient of an element that was picked out among the elements equal to it."""
    y = restore(y, x_shape, dim, keepdim)
    hit = cast((x == y) | (x != x), g.dtype)  # y is NaN where there is a NaN
    return restore(g, x_shape, dim, keepdim) * hit / sum_to(hit, y.shape)


def _check_not_empty(x: Any, dim: Any) -> None:
    """Raise `IndexError` where a slice without elements would have to give an element."""
    if count_reduced(x.shape, dim) == 0:
        where = "x" if dim is None else f"dim {dim} of {list(x.shape)}"
        raise IndexError(
            f"{where} has no elements to choose from; leave empty tensors out (x.numel() == 0)"
        )


_SAMPLES = (
    S(distinct((3, 4))),
    S(distinct((2, 3, 4)), dim=1),
    S(distinct((2, 3, 4)), dim=(0, -1), keepdim=True),
    S(distinct((2, 3, 4)), dim=(0, 1)),
    S(()),
    S((0, 3), dim=1),
    at([2.0, 2.0, 2.0], slopes=([1 / 3] * 3,)),
    at([[2.0, math.nan], [2.0, 1.0]], slopes=([[0.5, 1], [0.5, 0]],), dim=0, keepdim=True),
)
_TIES = "at ties the gradient is shared equally"


@op(
    x=_shared_rule,
    facts=Facts(
        lambda x, dim=None, keepdim=False: x.max(axis=dim, keepdims=keepdim),
        _SAMPLES,
        convention=_TIES,
    ),
)
def amax(xp: Backend, x: Array, dim: Dim = None, keepdim: bool = False) -> Array:
    """Largest element over axes; equal largest elements share the gradient.

    Raises
    ------
    IndexError
        There are no elements to choose from.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.amax(mg.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
    tensor([5., 4.])
    """
    _check_not_empty(x, dim)
    return x.max(axis=numpy_axis(dim, x.ndim), keepdims=keepdim)


@op(
    x=_shared_rule,
    facts=Facts(
        lambda x, dim=None, keepdim=False: x.min(axis=dim, keepdims=keepdim),
        _SAMPLES,
        convention=_TIES,
    ),
)
def amin(xp: Backend, x: Array, dim: Dim = None, keepdim: bool = False) -> Array:
    """Smallest element over axes; equal smallest elements share the gradient.

    Raises
    ------
    IndexError
        There are no elements to choose from.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.amin(mg.tensor([[1.0, 5.0], [3.0, 4.0]]), dim=1)
    tensor([1., 3.])
    """
    _check_not_empty(x, dim)
    return x.min(axis=numpy_axis(dim, x.ndim), keepdims=keepdim)


def _place(xp: Backend, find: Any, x: Array, dim: int | None, keepdim: bool) -> Array:
    """Return the int64 index that ``find`` (argmax or argmin) gives along one axis, or all."""
    axis = None if dim is None else check_dim(dim, x.ndim)
    _check_not_empty(x, dim)
    if x.ndim == 0:
        return xp.zeros((), xp.int64)
    return find(x, axis=axis, keepdims=keepdim).astype(xp.int64, copy=False)


_PLACE_SAMPLES = (
    S((3, 4)),
    S((2, 3, 4), dim=1),
    S((2, 3), dim=-1, keepdim=True),
    S((2, 3), keepdim=True),
    S(lambda rng: np.array([1, 3, 3, 0, 0]), dim=0),
    S((), dim=0),
)


def _place_reference(find: Any) -> Any:
    return lambda x, dim=None, keepdim=False: find(
        x, axis=dim if x.ndim else None, keepdims=keepdim
    )


@op(facts=Facts(_place_reference(np.argmax), _PLACE_SAMPLES, order=0))
def argmax(xp: Backend, x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Index (int64) of the largest element along an axis, or in the flattened tensor.

    Of equal ones the first; of NaNs the first NaN.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.argmax(mg.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _place(xp, xp.argmax, x, dim, keepdim)


@op(facts=Facts(_place_reference(np.argmin), _PLACE_SAMPLES, order=0))
def argmin(xp: Backend, x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Index (int64) of the smallest element along an axis, or in the flattened tensor.

    Of equal ones the first; of NaNs the first NaN.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.argmin(mg.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    return _place(xp, xp.argmin, x, dim, keepdim)


# ---- max, min, median: torch's forms in one ------------------------------------------------------


def _select(x: Any, dim: int, place: Any, keepdim: bool) -> Selected:
    """Return the elements at the indices (which keep the axis) with the indices."""
    values = gather(x, dim, place)
    if not keepdim:
        values, place = squeeze(values, dim), squeeze(place, dim)
    return Selected(values, place)


def _extremum(find: Any, over_all: Any, of_two: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        return over_all(x)
    if isinstance(dim, Tensor) or is_array(dim):
        return of_two(x, dim)
    return _select(x, dim, find(x, dim, True), keepdim)


def _extremum_reference(best: Any, find: Any) -> Any:
    def reference(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return best(x)
        axis = dim if x.ndim else None
        return best(x, axis=axis, keepdims=keepdim), find(x, axis=axis, keepdims=keepdim)

    return reference


_PAIR_SAMPLES = (
    S(distinct((3, 4))),
    S(distinct((2, 3, 4)), dim=1),
    S(distinct((2, 3, 4)), dim=-1, keepdim=True),
    S((), dim=0),
)


@composite(facts=Facts(_extremum_reference(np.max, np.argmax), _PAIR_SAMPLES, convention=_TIES))
def max(x: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Largest element, in torch's three forms.

    ``max(x)``: of all, equal ones sharing the gradient (`amax`). ``max(x, dim)``: along one axis,
    as ``(values, indices)``, the first of equal ones being chosen. ``max(x, y)``: of each two
    elements (`maximum`).

    Raises
    ------
    IndexError
        There are no elements to choose from, or ``dim`` is out of range.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[1.0, 5.0], [3.0, 4.0]])
    >>> mg.max(x)
    tensor(5.)
    >>> values, indices = mg.max(x, dim=0)
    >>> values, indices
    (tensor([3., 5.]), tensor([1, 0]))
    """
    return _extremum(argmax, amax, maximum, x, dim, keepdim)


@composite(facts=Facts(_extremum_reference(np.min, np.argmin), _PAIR_SAMPLES, convention=_TIES))
def min(x: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Smallest element, in torch's three forms; see `max`.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[1.0, 5.0], [3.0, 4.0]])
    >>> mg.min(x)
    tensor(1.)
    >>> mg.min(x, dim=0).values
    tensor([1., 4.])
    """
    return _extremum(argmin, amin, minimum, x, dim, keepdim)


def _median_reference(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    if dim is None or x.ndim == 0:
        middle = np.sort(x, axis=None)[(x.size - 1) // 2]
        return middle if dim is None else (middle, 0)
    order = np.argsort(x, axis=dim)
    place = np.take(order, [(x.shape[dim] - 1) // 2], axis=dim)
    values = np.take_along_axis(x, place, axis=dim)
    return (values, place) if keepdim else (values.squeeze(dim), place.squeeze(dim))


@op(
    x=lambda g, x, y, x_shape: _shared_rule(g, x, y, None, False, x_shape),
    facts=Facts(_median_reference, [S(distinct((5,))), S(distinct((2, 3)))], torch="median"),
)
def _middle(xp: Backend, x: Array) -> Array:
    """Return the lower median of all elements, NaN if one is NaN."""
    ranked = xp.sort(x.reshape(-1))
    last = ranked[-1]
    return xp.where(last == last, ranked[(x.size - 1) // 2], last)


@op(
    facts=Facts(
        lambda x, dim: _median_reference(x, dim, True)[1],
        [S(distinct((5,)), dim=0), S(distinct((3, 4)), dim=0), S(distinct((3, 4)), dim=-1)],
        order=0,
        torch="",
    )
)
def _median_place(xp: Backend, x: Array, dim: int) -> Array:
    """Return the index of the lower median along an axis, of the first NaN if there is one."""
    axis = check_dim(dim, x.ndim)
    if x.ndim == 0:
        return xp.zeros((), xp.int64)
    lane = (slice(None),) * axis
    middle = (x.shape[axis] - 1) // 2
    place = xp.argsort(x, axis=axis, kind="stable")[(*lane, slice(middle, middle + 1))]
    missing = x != x
    first = xp.argmax(missing, axis=axis, keepdims=True)
    return xp.where(missing.any(axis=axis, keepdims=True), first, place).astype(xp.int64)


@composite(
    facts=Facts(
        _median_reference,
        [
            S(distinct((5,))),
            S(distinct((3, 4))),
            S(distinct((3, 4)), dim=0),
            S(distinct((2, 3, 4)), dim=-1, keepdim=True),
            S((), dim=0),
        ],
        convention="the gradient of the median of all elements is shared among equal ones",
    )
)
def median(x: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median of all elements or, along an axis, ``(values, indices)``.

    Of an even number of elements it is the lower of the two in the middle, as in torch (NumPy
    takes their mean).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.median(mg.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    >>> mg.median(mg.tensor([[5.0, 1.0, 3.0]]), dim=1).values
    tensor([3.])
    """
    checked("median", x, _check_not_empty, x, dim)
    if dim is None:
        return _middle(x)
    return _select(x, dim, _median_place(x, dim), keepdim)
