"""Elementwise arithmetic: one line of calculus each.

A rule gets ``g``, the gradient of the output, and by name what else it needs (see
`minigrad.engine.op`). Broadcast operands need no care: the engine sums their gradient back.
"""

from __future__ import annotations

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import ELEMENTWISE_2, Facts
from minigrad.engine.op import op


@op(cast="common", a=lambda g: g, b=lambda g: g,
    facts=Facts(np.add, ELEMENTWISE_2, analytic=True, formula="a + b"))  # fmt: skip
def add(xp: Backend, a: Array, b: Array) -> Array:
    """Sum.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.add(mg.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return a + b


@op(cast="common", a=lambda g: g, b=lambda g: -g,
    facts=Facts(np.subtract, ELEMENTWISE_2, analytic=True, formula="a - b"))  # fmt: skip
def sub(xp: Backend, a: Array, b: Array) -> Array:
    """Difference.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sub(mg.tensor([1.0, 2.0]), 10)
    tensor([-9., -8.])
    """
    return a - b


@op(cast="common", a=lambda g, b: g * b, b=lambda g, a: g * a,
    facts=Facts(np.multiply, ELEMENTWISE_2, analytic=True, formula="a b"))  # fmt: skip
def mul(xp: Backend, a: Array, b: Array) -> Array:
    """Product, element by element.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.mul(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0]))
    tensor([3., 8.])
    """
    return a * b
