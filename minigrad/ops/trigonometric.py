"""Trigonometric and hyperbolic functions, element by element."""

from __future__ import annotations

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import ELEMENTWISE_1, Facts
from minigrad.engine.op import op


@op(cast="float", x=lambda g, y: g * (1 - y * y),
    facts=Facts(np.tanh, ELEMENTWISE_1, analytic=True, formula="(e^x - e^-x) / (e^x + e^-x)"))  # fmt: skip
def tanh(xp: Backend, x: Array) -> Array:
    """Hyperbolic tangent; its derivative is ``1 - y^2``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tanh(mg.tensor([0.0, 1.0]))
    tensor([0.       , 0.7615942])
    """
    return xp.tanh(x)
