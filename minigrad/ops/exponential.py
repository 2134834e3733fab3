"""Exponentials, logarithms, powers and roots, and the error function, element by element.

Where a function is infinite or has no value, as log at 0 and below, the result is so too, without
a warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, is_array
from minigrad.engine.facts import ELEMENTWISE_1, ELEMENTWISE_2, Facts, S, at, integers
from minigrad.engine.op import op
from minigrad.ops.compare import where
from minigrad.ops.rounding import zeros

__all__ = [
    "erf", "erfc", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "pow",
    "rsqrt", "sqrt",
]  # fmt: skip


# ---- exponentials and logarithms ----------------------------------------------------------------


@op(cast="float", x=lambda g, y: g * y,
    facts=Facts(np.exp, ELEMENTWISE_1, analytic=True, formula="e^x"))  # fmt: skip
def exp(xp: Backend, x: Array) -> Array:
    """Exponential; its derivative is itself.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.exp(mg.tensor([0.0, 1.0]))
    tensor([1.      , 2.71828])
    """
    return xp.quietly(xp.exp, x)


@op(cast="float", x=lambda g, y: g * (y * math.log(2)),
    facts=Facts(np.exp2, ELEMENTWISE_1, analytic=True, formula="2^x"))  # fmt: skip
def exp2(xp: Backend, x: Array) -> Array:
    """Two to the power x.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.exp2(mg.tensor([-1.0, 10.0]))
    tensor([5.000e-01, 1.024e+03])
    """
    return xp.quietly(xp.exp2, x)


@op(cast="float", x=lambda g, y: g * (y + 1),
    facts=Facts(np.expm1, ELEMENTWISE_1, analytic=True, formula="e^x - 1"))  # fmt: skip
def expm1(xp: Backend, x: Array) -> Array:
    """``exp(x) - 1``, precise near 0 too.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.expm1(mg.tensor([0.0, 1e-10]))
    tensor([0.e+00, 1.e-10])
    """
    return xp.quietly(xp.expm1, x)


@op(cast="float", x=lambda g, x: g / x,
    facts=Facts(np.log, ELEMENTWISE_1, (0.2, 3.0), analytic=True, formula="ln x"))  # fmt: skip
def log(xp: Backend, x: Array) -> Array:
    """Natural logarithm: -inf at 0, where the derivative is infinite, and NaN below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.log(mg.tensor([0.0, 1.0, 10.0]))
    tensor([     -inf, 0.       , 2.30259])
    """
    return xp.quietly(xp.log, x)


@op(
    cast="float",
    x=lambda g, x: g / (1 + x),
    facts=Facts(np.log1p, ELEMENTWISE_1, (-0.8, 3.0), analytic=True, formula="ln(1 + x)"),
)
def log1p(xp: Backend, x: Array) -> Array:
    """``log(1 + x)``, precise near 0 too: -inf at -1 and NaN below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.log1p(mg.tensor([1e-10, 1.0]))
    tensor([1.00000e-10, 6.93147e-01])
    """
    return xp.quietly(xp.log1p, x)


@op(
    cast="float",
    x=lambda g, x: g / (x * math.log(2)),
    facts=Facts(np.log2, ELEMENTWISE_1, (0.2, 3.0), analytic=True, formula="ln x / ln 2"),
)
def log2(xp: Backend, x: Array) -> Array:
    """Logarithm to base 2: -inf at 0 and NaN below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.log2(mg.tensor([0.5, 8.0]))
    tensor([-1.,  3.])
    """
    return xp.quietly(xp.log2, x)


@op(
    cast="float",
    x=lambda g, x: g / (x * math.log(10)),
    facts=Facts(np.log10, ELEMENTWISE_1, (0.2, 3.0), analytic=True, formula="ln x / ln 10"),
)
def log10(xp: Backend, x: Array) -> Array:
    """Logarithm to base 10: -inf at 0 and NaN below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.log10(mg.tensor([2.0, 5.0]))
    tensor([0.30103, 0.69897])
    """
    return xp.quietly(xp.log10, x)


@op(
    cast="float",
    a=lambda g, a, b: g / (1 + exp(b - a)),
    b=lambda g, a, b: g / (1 + exp(a - b)),
    facts=Facts(
        np.logaddexp,
        ELEMENTWISE_2,
        convention="NaN where both operands are the same infinity, as in torch",
        formula="ln(e^a + e^b)",
    ),
)
def logaddexp(xp: Backend, a: Array, b: Array) -> Array:
    """Logarithm of the sum of two exponentials, without overflow on the way.

    Where both operands are the same infinity, so is the result, and the gradients are NaN.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.logaddexp(mg.tensor([0.0, 1e4]), mg.tensor([0.0, 1e4]))
    tensor([6.93147e-01, 1.00007e+04])
    """
    return xp.quietly(_logaddexp, xp, a, b)


def _logaddexp(xp: Any, a: Any, b: Any) -> Any:
    larger = xp.maximum(a, b)
    y = larger + xp.log1p(xp.exp(-xp.abs(a - b)))
    return xp.fmax(y, larger)  # where inf - inf made NaN of equal infinities


# ---- powers and roots ---------------------------------------------------------------------------


@op(cast="float", x=lambda g, y: g / (2 * y),
    facts=Facts(np.sqrt, ELEMENTWISE_1, (0.2, 3.0), analytic=True, formula="x^(1/2)"))  # fmt: skip
def sqrt(xp: Backend, x: Array) -> Array:
    """Square root; at 0 its derivative is infinite, below it is NaN.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sqrt(mg.tensor([0.0, 2.25]))
    tensor([0. , 1.5])
    """
    return xp.quietly(xp.sqrt, x)


@op(
    cast="float",
    x=lambda g, y: g * (-0.5 * (y * y * y)),
    facts=Facts(
        lambda x: 1 / np.sqrt(x), ELEMENTWISE_1, (0.2, 3.0), analytic=True, formula="x^(-1/2)"
    ),
)
def rsqrt(xp: Backend, x: Array) -> Array:
    """``1 / sqrt(x)``: inf at 0 and NaN below.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.rsqrt(mg.tensor([0.25, 4.0]))
    tensor([2. , 0.5])
    """
    return xp.quietly(_rsqrt, xp, x)


def _rsqrt(xp: Any, x: Any) -> Any:
    return 1 / xp.sqrt(x)


# Exponents that have a faster way than the general power, which takes 10 to 60 ns an element
_POWERS: dict[float, Callable[[Any, Any], Any]] = {
    1: lambda xp, a: a.copy(),
    2: lambda xp, a: a * a,
    3: lambda xp, a: a * a * a,
    0.5: lambda xp, a: xp.sqrt(a),
    -0.5: _rsqrt,
    -1: lambda xp, a: 1 / a,
    -2: lambda xp, a: 1 / (a * a),
}


def _is_number(x: Any) -> bool:
    """Say whether an operand is a Python number (and so has no shape and no gradient)."""
    return isinstance(x, (bool, int, float))


def _pow_base_rule(g: Any, a: Any, b: Any) -> Any:
    """Gradient to the base, ``b a^(b-1)``; with exponent 0 it is 0 at base 0 and NaN too."""
    if _is_number(b):
        if b == 0:
            return zeros(g)
        return g if b == 1 else g * (b * (a if b == 2 else pow(a, b - 1)))
    exponent = where((b == 0) & ~(abs(a) > 0), 1.0, b)
    return g * (b * pow(a, exponent - 1))


def _pow_exponent_rule(g: Any, a: Any, b: Any, y: Any) -> Any:
    """Gradient to the exponent, ``a^b ln a``; at base 0 it is 0 if the exponent is not negative."""
    if _is_number(a):
        if a > 0:
            return g * (y * math.log(a))
        a = where(b == b, float(a), b)
    return g * (y * log(where((a == 0) & (b >= 0), 1.0, a)))


@op(
    cast="common",
    a=_pow_base_rule,
    b=_pow_exponent_rule,
    facts=Facts(
        np.power,
        (
            *ELEMENTWISE_2,
            S(integers((3, 4), -4, 5), integers((4,), 0, 4)),
            *(S((3, 4), exponent) for exponent in (0, 1, 2, 3, -1.5)),
            S(2.5, (3, 4)),
            S((3,), lambda rng: np.zeros(3)),
            at(
                [0.0, 0.0, math.nan, 2.0, -2.0],
                [0.0, 2.0, 0.0, 0.0, 3.0],
                slopes=([0, 0, 0, 0, 12], [0, 0, math.nan, math.log(2), math.nan]),
            ),
            at([0.0, math.nan], 0, slopes=([0, 0],)),
            at([0.0], [-1.0], slopes=([-math.inf], [-math.inf])),
            at(0.0, [0.0, 2.0], slopes=(None, [0, 0])),
            at(0.0, [-1.0], slopes=(None, [-math.inf])),
            at(-2.0, [2.0, 3.0], slopes=(None, [math.nan, math.nan])),
        ),
        domain=((0.3, 2.0), (-2.0, 2.5)),
        analytic=True,
        convention=(
            "to the base: 0 where the exponent is 0, at base 0 too; to the exponent: 0 at base 0 "
            "with an exponent that is not negative, NaN at a negative base"
        ),
        formula="a^b",
    ),
)
def pow(xp: Backend, a: Array, b: Array) -> Array:
    """Power, ``a ** b``.

    A negative base has a power only if the exponent is an integer, and then none that the exponent
    could be differentiated by: that gradient is NaN. Ints stay ints if both operands are ints.
    Exponents that are the Python numbers 1, 2, 3, 0.5, -0.5, -1 and -2 are computed by products
    and roots.

    Raises
    ------
    ValueError
        Ints are raised to a negative power.
    TypeError
        Both operands are bools.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.pow(mg.tensor([2.0, 3.0]), 2), 2 ** mg.tensor([2.0, 3.0])
    (tensor([4., 9.]), tensor([4., 8.]))
    """
    dtype = (a if is_array(a) else b).dtype
    if dtype.kind in "biu":
        _check_integer_power(dtype, b)
    shortcut = _POWERS.get(b) if _is_number(b) else None
    if shortcut is not None:
        return xp.quietly(shortcut, xp, a)
    return xp.quietly(xp.power, a, b)


def _check_integer_power(dtype: Any, b: Any) -> None:
    if dtype.kind == "b":
        raise TypeError("pow does not take two bools; convert one to numbers first: x.int()")
    negative = b < 0
    if negative.any() if is_array(b) else negative:
        raise ValueError(
            f"{dtype} to a negative power is no integer; convert the base to floats: x.float() ** n"
        )


# ---- the error function -------------------------------------------------------------------------

_BELL = 2 / math.sqrt(math.pi)


@op(
    cast="float",
    x=lambda g, x: g * (_BELL * exp(-x * x)),
    facts=Facts("scipy.special.erf", ELEMENTWISE_1, formula="2 / sqrt(pi) int_0^x e^(-t^2) dt"),
)
def erf(xp: Backend, x: Array) -> Array:
    """Error function; its derivative is ``2 / sqrt(pi) * exp(-x^2)``.

    How it is computed, and how precisely: `minigrad.backend.erf`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.erf(mg.tensor([0.0, 1.0]))
    tensor([0.        , 0.84270])
    """
    return xp.erf(x)


@op(
    cast="float",
    x=lambda g, x: g * (-_BELL * exp(-x * x)),
    facts=Facts("scipy.special.erfc", ELEMENTWISE_1, formula="1 - erf(x)"),
)
def erfc(xp: Backend, x: Array) -> Array:
    """``1 - erf(x)``, with its relative precision far out in the tail too.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.erfc(mg.tensor([0.0, 6.0]))
    tensor([1.00000e+00, 2.15197e-17])
    """
    return xp.erfc(x)
