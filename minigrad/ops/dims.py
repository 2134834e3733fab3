"""Axis numbers: what ``dim`` may be, checked in one place for all ops.

A dim is counted from 0, or from the end as a negative number. A 0-d tensor has no axis, but
like torch it answers to dim 0 and -1, as if it had one of length 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.ops.refuse import refuse

Dim = int | tuple[int, ...] | None  # None, or an empty tuple: all axes
Shape = tuple[int, ...]


def check_int(value: Any, name: str) -> int:
    """Return an option that must be a whole number (a bool is none), or raise `TypeError`."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {value}; name a flag: keepdim=True")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(value).__name__} {value!r}") from None


def check_dim(dim: Any, ndim: int) -> int:
    """Return a dim counted from 0, or raise `IndexError` with the dims that exist.

    Examples
    --------
    >>> from minigrad.ops.dims import check_dim
    >>> check_dim(-1, 3)
    2
    """
    size = ndim or 1
    at = check_int(dim, "dim")
    if not -size <= at < size:
        raise IndexError(
            f"dim {at} is out of range: a {ndim}-d tensor has dims {-size} to {size - 1}"
        )
    return at % size


def check_dims(dim: Any, ndim: int) -> Shape:
    """Return the axes that ``dim`` names (None, or (), names all), counted from 0.

    Raises
    ------
    IndexError
        A dim is out of range.
    ValueError
        Two dims are the same axis.

    Examples
    --------
    >>> from minigrad.ops.dims import check_dims
    >>> check_dims((0, -1), 3), check_dims(None, 2), check_dims(0, 0)
    ((0, 2), (0, 1), ())
    """
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        axes = listed_dims(dim, ndim)
        return axes if axes and ndim else tuple(range(ndim))
    axis = check_dim(dim, ndim)
    return (axis,) if ndim else ()


def listed_dims(dims: Sequence[Any], ndim: int) -> Shape:
    """Return a list of dims counted from 0, in its order; each axis may occur once."""
    axes = tuple(check_dim(d, ndim) for d in dims)
    if len(set(axes)) < len(axes):
        twice = next(a for i, a in enumerate(axes) if a in axes[:i])
        raise ValueError(f"dims {tuple(dims)} name axis {twice} more than once")
    return axes


def numpy_axis(dim: Any, ndim: int) -> int | Shape | None:
    """Return what NumPy's and CuPy's ``axis=`` takes for a reduction over ``dim``."""
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:  # the usual case
        return dim % ndim
    axes = check_dims(dim, ndim)
    return axes[0] if len(axes) == 1 else None if len(axes) == ndim else axes


def restore(g: Any, shape: Shape, dim: Dim, keepdim: bool) -> Any:
    """Give the gradient of a reduction of ``shape`` its reduced axes back, with length 1."""
    if keepdim or dim is None:  # what has no axis at all broadcasts as it is
        return g
    if type(dim) is int and shape:
        axis = dim % len(shape)
        return g.reshape((*shape[:axis], 1, *shape[axis + 1 :]))
    gone = check_dims(dim, len(shape))
    return g.reshape(tuple(1 if i in gone else n for i, n in enumerate(shape)))


def without(shape: Shape, dim: Dim) -> Shape:
    """Return the shape that a reduction over ``dim`` leaves."""
    gone = check_dims(dim, len(shape))
    return tuple(n for i, n in enumerate(shape) if i not in gone)


def count_reduced(shape: Shape, dim: Dim) -> int:
    """Return how many elements go into one element of a reduction's result."""
    return math.prod(shape[i] for i in check_dims(dim, len(shape)))


def checked(name: str, x: Any, check: Callable[..., Any], *values: Any) -> Any:
    """Run a check for an op made of others, so that its error names the op and its operand."""
    try:
        return check(*values)
    except (TypeError, ValueError, IndexError) as error:
        raise refuse(name, error, x, kind=type(error)) from None
