"""The error function and its complement, which NumPy lacks, to the precision of the dtype.

With ``a = |x|`` there are two polynomials:

* ``erf(a) = a S(a^2)`` for ``a < 1``, because ``erf(a) / a`` is an entire function of ``a^2``;
* ``erfc(a) = exp(-a^2) P(t) / (a + 3)`` for every a, with ``t = (a - 3) / (a + 3)``. The scaled
  function ``exp(a^2) erfc(a)`` falls like ``1 / a``, so P is smooth on ``[-1, 1]``, which stands
  for all ``a >= 0``. This keeps its relative precision far out in the tail, where ``1 - erf(a)``
  has none left.

The normal distribution function is ``erfc(-x / sqrt 2) / 2``. In float32 a shorter way will do,
``exp(-a^2 / 2) t M(t)`` with ``t = 3 / (a + 3)`` at ``-a``, and 1 less that at a. M need not reach
beyond ``a = 14``, where the result is no longer a normal number.

S, P and M interpolate at Chebyshev points, which comes within a small factor of the best. Their
coefficients are computed once, when first needed: from `math.erf`, `math.erfc`, and in the tail
from Laplace's continued fraction (Abramowitz and Stegun, 7.1.14). S and P are evaluated for every
element: that is faster than sorting the elements by size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

_CENTRE = 3.0  # where t = 0: near it the coefficients of P fall fastest
_HUGE = 28.0  # erfc(28) underflows to 0 in float64
_NORMAL_END = 14.0  # the normal distribution function at -14 underflows in float32

# By the bytes of an element: the degrees of S and of P
_DEGREES = {4: (6, 10), 8: (11, 24)}
_NORMAL_DEGREE = 8  # of M


def erf(xp: Any, x: Any) -> Any:
    """Error function ``2 / sqrt(pi) * integral of exp(-t^2) from 0 to x``, elementwise.

    Computed in x's dtype (float16 in float32): the relative error is below 1e-15 in float64 and
    2e-7 in float32.
    """
    return xp.in_blocks(_erf, _wide(xp, x)).astype(x.dtype, copy=False)


def erfc(xp: Any, x: Any) -> Any:
    """Complementary error function ``1 - erf(x)``, elementwise.

    Computed in x's dtype (float16 in float32), to a relative error below 3e-15 in float64 and
    6e-7 in float32 wherever the result is a normal number.
    """
    return xp.in_blocks(_erfc, _wide(xp, x)).astype(x.dtype, copy=False)


def normal_cdf(xp: Any, x: Any) -> Any:
    """Return the normal distribution function, ``erfc(-x / sqrt 2) / 2``, elementwise.

    Computed in x's dtype (float16 in float32), to a relative error below 3e-15 in float64. In
    float32 below 1e-6 for ``x > -5``, and 1e-5 wherever the result is a normal number: the square
    of x is rounded.
    """
    wide = _wide(xp, x)
    kernel = _normal_cdf if wide.itemsize == 4 else _half_erfc
    return xp.in_blocks(kernel, wide).astype(x.dtype, copy=False)


def _wide(xp: Any, x: Any) -> Any:
    return x.astype(xp.float32) if x.itemsize == 2 else x


def _erf(xp: Any, x: Any) -> Any:
    a = xp.minimum(xp.abs(x), _HUGE)
    square = a * a
    tail = _tail(xp, a)
    tail *= xp.exp(-square)
    square *= 2
    square -= 1
    inner = _horner(_inner_coefficients(_DEGREES[x.itemsize][0]), square)
    inner *= a
    near = a < 1
    inner *= near  # a choice by mask: where() is slow on an unpredictable one
    tail -= 1
    tail *= ~near
    inner -= tail
    return xp.copysign(inner, x)


def _erfc(xp: Any, x: Any) -> Any:
    a = xp.minimum(xp.abs(x), _HUGE)
    y = _tail(xp, a)
    # exp(-a^2) amplifies the rounding of a^2 by a^2: split off h, whose square is exact
    h = xp.rint(a * 64)
    h *= 1 / 64
    y *= xp.exp(-h * h)
    y *= xp.exp((h - a) * (h + a))
    y -= 2 * (x < 0).astype(x.dtype)  # of a negative x: 2 - erfc(a)
    return xp.abs(y)


def _half_erfc(xp: Any, x: Any) -> Any:
    y = _erfc(xp, x * -math.sqrt(0.5))
    y *= 0.5
    return y


def _normal_cdf(xp: Any, x: Any) -> Any:
    a = xp.abs(x)
    t = a + _CENTRE
    xp.divide(_CENTRE, t, out=t)
    y = _horner(_normal_coefficients(_NORMAL_DEGREE), t)
    y *= t
    a *= a
    a *= -0.5
    y *= xp.exp(a, out=a)
    y -= (x > 0).astype(x.dtype)  # of a positive x: 1 less the value at -x
    return xp.abs(y, out=y)


def _tail(xp: Any, a: Any) -> Any:
    """Return ``exp(a^2) erfc(a)``."""
    scale = 1 / (a + _CENTRE)
    t = a - _CENTRE
    t *= scale
    p = _horner(_tail_coefficients(_DEGREES[a.itemsize][1]), t)
    p *= scale
    return p


def _horner(coefficients: tuple[float, ...], t: Any) -> Any:
    """Evaluate a polynomial, the coefficient of the highest power first."""
    p = t * coefficients[0]
    for c in coefficients[1:-1]:
        p += c
        p *= t
    p += coefficients[-1]
    return p


# ---- coefficients -------------------------------------------------------------------------------


@cache
def _inner_coefficients(degree: int) -> tuple[float, ...]:
    """Return the polynomial S, in ``2 a^2 - 1``."""

    def ratio(t: float) -> float:
        a = math.sqrt((t + 1) / 2)
        return math.erf(a) / a

    return _interpolate(ratio, degree)


@cache
def _tail_coefficients(degree: int) -> tuple[float, ...]:
    """Return the polynomial P, in ``(a - 3) / (a + 3)``."""

    def scaled(t: float) -> float:
        a = _CENTRE * (1 + t) / (1 - t)
        return _erfcx(a) * (a + _CENTRE)

    *high, linear, constant = _interpolate(scaled, degree)
    # Turn the line at the end until erfc(0) is 1 to the last digit, not but for the last.
    for _ in range(3):
        missing = _CENTRE - _horner((*high, linear, constant), -1.0)
        linear, constant = linear - missing / 2, constant + missing / 2
    return (*high, linear, constant)


@cache
def _normal_coefficients(degree: int) -> tuple[float, ...]:
    """Return the polynomial M, in ``3 / (a + 3)``."""
    from numpy.polynomial import Polynomial

    low = _CENTRE / (_CENTRE + _NORMAL_END)
    middle, half = (1 + low) / 2, (1 - low) / 2

    def ratio(v: float) -> float:
        t = middle + half * v
        a = _CENTRE / t - _CENTRE
        return _erfcx(max(a, 0.0) * math.sqrt(0.5)) / 2 / t

    inner = Polynomial([-middle / half, 1 / half])  # from t to [-1, 1]
    of_t = Polynomial(_interpolate(ratio, degree)[::-1])(inner)
    return tuple(float(c) for c in of_t.coef[::-1])


def _erfcx(a: float) -> float:
    """Return ``exp(a^2) erfc(a)`` of one number ``a >= 0``."""
    if a < 1:
        return math.exp(a * a) * math.erfc(a)
    fraction = a
    for k in range(20 + int(400 / (a * a)), 0, -1):  # terms enough for 1e-17
        fraction = a + k / 2 / fraction
    return 1 / (math.sqrt(math.pi) * fraction)


def _interpolate(f: Callable[[float], float], degree: int) -> tuple[float, ...]:
    """Return the polynomial that equals f at the Chebyshev points of ``[-1, 1]``."""
    from numpy.polynomial.chebyshev import cheb2poly

    n = degree + 1
    # The angles are reduced in integers, so that every cosine is exact to the last digit.
    cosine = [math.cos(math.pi * k / (2 * n)) for k in range(4 * n)]
    values = [f(cosine[2 * k + 1]) for k in range(n)]
    series = [
        2 / n * math.fsum(v * cosine[j * (2 * k + 1) % (4 * n)] for k, v in enumerate(values))
        for j in range(n)
    ]
    series[0] /= 2
    return tuple(float(c) for c in cheb2poly(series)[::-1])
