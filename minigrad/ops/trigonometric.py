"""Trigonometric and hyperbolic functions, element by element.

Outside its domain a function is NaN, and at an end of it the derivative may be infinite, both
without a warning.
"""

from __future__ import annotations

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.facts import ELEMENTWISE_1, ELEMENTWISE_2, Facts, at
from minigrad.engine.op import op
from minigrad.ops.exponential import sqrt

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "sin", "sinh", "tan",
    "tanh",
]  # fmt: skip


@op(cast="float", x=lambda g, x: g * cos(x),
    facts=Facts(np.sin, ELEMENTWISE_1, analytic=True, formula="sin x"))  # fmt: skip
def sin(xp: Backend, x: Array) -> Array:
    """Sine of an angle in radians.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sin(mg.tensor([0.0, 1.0]))
    tensor([0.      , 0.84147])
    """
    return xp.quietly(xp.sin, x)


@op(cast="float", x=lambda g, x: -g * sin(x),
    facts=Facts(np.cos, ELEMENTWISE_1, analytic=True, formula="cos x"))  # fmt: skip
def cos(xp: Backend, x: Array) -> Array:
    """Cosine of an angle in radians.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cos(mg.tensor([0.0, 1.0]))
    tensor([1.       , 0.54030])
    """
    return xp.quietly(xp.cos, x)


@op(
    cast="float",
    x=lambda g, y: g * (1 + y * y),
    facts=Facts(np.tan, ELEMENTWISE_1, (-1.2, 1.2), analytic=True, formula="sin x / cos x"),
)
def tan(xp: Backend, x: Array) -> Array:
    """Tangent of an angle in radians; its derivative is ``1 + y^2``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tan(mg.tensor([0.0, 1.0]))
    tensor([0.       , 1.55741])
    """
    return xp.quietly(xp.tan, x)


@op(
    cast="float",
    x=lambda g, x: g / sqrt((1 - x) * (1 + x)),
    facts=Facts(np.arcsin, ELEMENTWISE_1, (-0.9, 0.9), analytic=True, formula="arcsin x"),
)
def asin(xp: Backend, x: Array) -> Array:
    """Angle in ``[-pi/2, pi/2]`` whose sine is x; at -1 and 1 its derivative is infinite.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.asin(mg.tensor([0.0, 1.0]))
    tensor([0.       , 1.57080])
    """
    return xp.quietly(xp.arcsin, x)


@op(
    cast="float",
    x=lambda g, x: -g / sqrt((1 - x) * (1 + x)),
    facts=Facts(np.arccos, ELEMENTWISE_1, (-0.9, 0.9), analytic=True, formula="arccos x"),
)
def acos(xp: Backend, x: Array) -> Array:
    """Angle in ``[0, pi]`` whose cosine is x; at -1 and 1 its derivative is infinite.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.acos(mg.tensor([0.0, 1.0]))
    tensor([1.57080, 0.       ])
    """
    return xp.quietly(xp.arccos, x)


@op(cast="float", x=lambda g, x: g / (1 + x * x),
    facts=Facts(np.arctan, ELEMENTWISE_1, analytic=True, formula="arctan x"))  # fmt: skip
def atan(xp: Backend, x: Array) -> Array:
    """Angle in ``[-pi/2, pi/2]`` whose tangent is x.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.atan(mg.tensor([0.0, 1.0]))
    tensor([0.       , 0.78540])
    """
    return xp.arctan(x)


def _square_sum(a: Array, b: Array) -> Array:
    """Return ``a^2 + b^2``, but 1 at (0, 0), where it divides 0."""
    total = a * a + b * b
    return total + (total == 0)


@op(
    cast="float",
    a=lambda g, a, b: g * (b / _square_sum(a, b)),
    b=lambda g, a, b: -g * (a / _square_sum(a, b)),
    facts=Facts(
        np.arctan2,
        (*ELEMENTWISE_2, at([0.0, 0.0], [0.0, 2.0], slopes=([0, 0.5], [0, 0]))),
        domain=((-2.0, 2.0), (0.3, 2.0)),
        convention="0 at (0, 0), where atan2 has no derivative",
        formula="the angle of the point (b, a)",
    ),
)
def atan2(xp: Backend, a: Array, b: Array) -> Array:
    """Angle of the point with the ordinate a and the abscissa b, in ``[-pi, pi]``.

    It jumps across the negative half of the abscissa. At ``(0, 0)`` it is 0, and so are its
    derivatives.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.atan2(mg.tensor([1.0, -1.0]), mg.tensor([-1.0, -1.0]))
    tensor([ 2.35619, -2.35619])
    """
    return xp.arctan2(a, b)


@op(cast="float", x=lambda g, x: g * cosh(x),
    facts=Facts(np.sinh, ELEMENTWISE_1, analytic=True, formula="(e^x - e^-x) / 2"))  # fmt: skip
def sinh(xp: Backend, x: Array) -> Array:
    """Hyperbolic sine.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sinh(mg.tensor([0.0, 1.0]))
    tensor([0.       , 1.17520])
    """
    return xp.quietly(xp.sinh, x)


@op(cast="float", x=lambda g, x: g * sinh(x),
    facts=Facts(np.cosh, ELEMENTWISE_1, analytic=True, formula="(e^x + e^-x) / 2"))  # fmt: skip
def cosh(xp: Backend, x: Array) -> Array:
    """Hyperbolic cosine.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.cosh(mg.tensor([0.0, 1.0]))
    tensor([1.       , 1.54308])
    """
    return xp.quietly(xp.cosh, x)


@op(
    cast="float",
    x=lambda g, y: g * (1 - y * y),
    facts=Facts(np.tanh, ELEMENTWISE_1, analytic=True, formula="(e^x - e^-x) / (e^x + e^-x)"),
)
def tanh(xp: Backend, x: Array) -> Array:
    """Hyperbolic tangent; its derivative is ``1 - y^2``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tanh(mg.tensor([0.0, 1.0]))
    tensor([0.       , 0.76159])
    """
    return xp.tanh(x)


@op(
    cast="float",
    x=lambda g, x: g / sqrt(1 + x * x),
    facts=Facts(np.arcsinh, ELEMENTWISE_1, analytic=True, formula="ln(x + sqrt(x^2 + 1))"),
)
def asinh(xp: Backend, x: Array) -> Array:
    """Inverse hyperbolic sine.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.asinh(mg.tensor([0.0, 1.0]))
    tensor([0.       , 0.88137])
    """
    return xp.arcsinh(x)


@op(
    cast="float",
    x=lambda g, x: g / (sqrt(x - 1) * sqrt(x + 1)),
    facts=Facts(
        np.arccosh, ELEMENTWISE_1, (1.2, 3.0), analytic=True, formula="ln(x + sqrt(x^2 - 1))"
    ),
)
def acosh(xp: Backend, x: Array) -> Array:
    """Inverse hyperbolic cosine, not negative; at 1 its derivative is infinite, below it is NaN.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.acosh(mg.tensor([1.0, 2.0]))
    tensor([0.      , 1.31696])
    """
    return xp.quietly(xp.arccosh, x)


@op(
    cast="float",
    x=lambda g, x: g / ((1 - x) * (1 + x)),
    facts=Facts(
        np.arctanh, ELEMENTWISE_1, (-0.9, 0.9), analytic=True, formula="ln((1 + x) / (1 - x)) / 2"
    ),
)
def atanh(xp: Backend, x: Array) -> Array:
    """Inverse hyperbolic tangent: infinite at -1 and 1, NaN beyond.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.atanh(mg.tensor([0.0, 0.5]))
    tensor([0.        , 0.54931])
    """
    return xp.quietly(xp.arctanh, x)
