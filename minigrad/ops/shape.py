"""Shape: the same elements in another arrangement. Most rules are the arrangement undone."""

from __future__ import annotations

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import Facts, S
from minigrad.engine.op import op

Ints = int | tuple[int, ...]  # an option that also takes its numbers one by one: x.reshape(2, 3)


def _tuple(dims: Ints) -> tuple[int, ...]:
    return (dims,) if isinstance(dims, int) else tuple(dims)


@op(
    view=True,
    x=lambda g, x_shape: g.reshape(x_shape),
    facts=Facts(
        lambda x, shape: x.reshape(shape),
        [S((2, 6), shape=(3, 4)), S((2, 6), shape=-1), S((), shape=(1, 1)), S((0, 3), shape=(3, 0))],
        analytic=True,
    ),
)
def reshape(xp: Backend, x: Array, shape: Ints) -> Array:
    """Return the elements, in order, in another shape; one length may be -1.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return x.reshape(_tuple(shape))


@op(
    view=True,
    x=lambda g, dim0, dim1: swapaxes(g, dim0, dim1),
    facts=Facts(
        lambda x, dim0, dim1: np.swapaxes(x, dim0, dim1),
        [S((2, 3), dim0=0, dim1=1), S((2, 3, 4), dim0=-1, dim1=0)],
        analytic=True,
    ),
)
def swapaxes(xp: Backend, x: Array, dim0: int, dim1: int) -> Array:
    """Swap two axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.swapaxes(mg.tensor([[1.0, 2.0]]), 0, 1)
    tensor([[1.],
            [2.]])
    """
    return xp.swapaxes(x, dim0, dim1)
