"""Rounding and remainders, element by element.

These are step functions, or have jumps: where they have a derivative at all, a step's is 0, and
that is what backward gives everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of, is_array
from minigrad.engine.facts import ELEMENTWISE_1, ELEMENTWISE_2, Facts, S, integers
from minigrad.engine.op import op
from minigrad.engine.tensor import Tensor, wrap

__all__ = ["ceil", "floor", "floor_divide", "fmod", "remainder", "round", "trunc"]

_STEPS = (*ELEMENTWISE_1, S(integers((5,), -3, 4)))
_FLAT = "0 everywhere, at the jumps too"

# Quotients away from the jumps at integers, and ints that divide with and without remainder
_QUOTIENTS = (
    *ELEMENTWISE_2,
    S(integers((3, 4), -7, 8), integers((3, 4), 1, 4)),
    S(integers((3, 4), -7, 8), integers((4,), -3, 0)),
)
_AWAY = ((5.2, 5.8), (2.0, 2.5))


def zeros(g: Any) -> Any:
    """Return the gradient 0 in g's shape and dtype, whatever g holds (0 * inf would be NaN)."""
    if isinstance(g, Tensor):
        return wrap(backend_of(g._array).zeros_like(g._array), None)
    return backend_of(g).zeros_like(g)


def check_integers(name: str, a: Any, b: Any) -> None:
    """Refuse what NumPy would do silently when integers are divided: by 0, and of bools."""
    dtype = (a if is_array(a) else b).dtype
    if dtype.kind == "f":
        return
    if dtype.kind == "b":
        raise TypeError(f"{name} does not divide bools; convert one to numbers first: x.int()")
    zero = b == 0
    if zero.any() if is_array(b) else zero:
        raise ZeroDivisionError(
            f"{name} of {dtype} by 0; divide floats (x.float() gives inf or NaN), "
            "or replace the zeros first"
        )


@op(
    cast="common",
    x=lambda g: zeros(g),
    facts=Facts(
        np.floor,
        _STEPS,
        domain=(-2.4, 2.4),
        kinks=(-2, -1, 0, 1, 2),
        convention=_FLAT,
        order=0,
        formula="the largest integer that is not above x",
    ),
)
def floor(xp: Backend, x: Array) -> Array:
    """Round down to an integer, in x's dtype. Its derivative is 0, at the jumps too.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.floor(mg.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return xp.floor(x) if x.dtype.kind == "f" else x.copy()


@op(
    cast="common",
    x=lambda g: zeros(g),
    facts=Facts(
        np.ceil,
        _STEPS,
        domain=(-2.4, 2.4),
        kinks=(-2, -1, 0, 1, 2),
        convention=_FLAT,
        order=0,
        formula="the smallest integer that is not below x",
    ),
)
def ceil(xp: Backend, x: Array) -> Array:
    """Round up to an integer, in x's dtype. Its derivative is 0, at the jumps too.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.ceil(mg.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return xp.ceil(x) if x.dtype.kind == "f" else x.copy()


@op(
    cast="common",
    x=lambda g: zeros(g),
    facts=Facts(
        np.trunc,
        _STEPS,
        domain=(-2.4, 2.4),
        kinks=(-2, -1, 0, 1, 2),
        convention=_FLAT,
        order=0,
        formula="x without its fraction",
    ),
)
def trunc(xp: Backend, x: Array) -> Array:
    """Round towards 0 to an integer, in x's dtype. Its derivative is 0, at the jumps too.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.trunc(mg.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return xp.trunc(x) if x.dtype.kind == "f" else x.copy()


@op(
    cast="common",
    x=lambda g: zeros(g),
    facts=Facts(
        lambda x, decimals=0: np.round(x, decimals),
        (*_STEPS, S((20,), decimals=1), S(integers((9,), -60, 60), decimals=-1)),
        domain=(-2.4, 2.4),
        kinks=(-1.5, -0.5, 0.5, 1.5),
        convention=_FLAT,
        order=0,
        formula="the integer nearest to x, of two the even one",
    ),
)
def round(xp: Backend, x: Array, decimals: int = 0) -> Array:
    """Round to a number of decimals; halfway between two, to the even one. Its derivative is 0.

    Negative decimals round to tens, hundreds and so on.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.round(mg.tensor([0.5, 1.5, -2.7])), mg.round(mg.tensor([1.25]), decimals=1)
    (tensor([ 0.,  2., -3.]), tensor([1.2]))
    """
    return x.copy() if x.dtype.kind == "b" else xp.round(x, decimals)


@op(
    cast="common",
    a=lambda g: zeros(g),
    b=lambda g: zeros(g),
    facts=Facts(
        np.floor_divide,
        _QUOTIENTS,
        domain=_AWAY,
        convention=_FLAT,
        order=0,
        torch="floor_divide",
        formula="floor(a / b)",
    ),
)
def floor_divide(xp: Backend, a: Array, b: Array) -> Array:
    """Quotient rounded down, ``a // b`` as in Python; ints stay ints. Its derivative is 0.

    Raises
    ------
    ZeroDivisionError
        An integer is divided by 0 (floats give infinities and NaN).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.floor_divide(mg.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    check_integers("floor_divide", a, b)
    return xp.quietly(xp.floor_divide, a, b)


@op(
    cast="common",
    a=lambda g: g,
    b=lambda g, a, b: -g * floor_divide(a, b),
    facts=Facts(
        np.remainder,
        _QUOTIENTS,
        domain=_AWAY,
        convention="where a / b is an integer, as if the quotient floor(a / b) were constant",
        formula="a - b floor(a / b)",
    ),
)
def remainder(xp: Backend, a: Array, b: Array) -> Array:
    """Remainder with the sign of the divisor b, ``a % b`` as in Python.

    Raises
    ------
    ZeroDivisionError
        An integer is divided by 0 (floats give NaN).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.remainder(mg.tensor([5.0, -5.0]), 3)
    tensor([2., 1.])
    """
    check_integers("remainder", a, b)
    return xp.quietly(xp.remainder, a, b)


@op(
    cast="common",
    a=lambda g: g,
    b=lambda g, a, b: -g * trunc(a / b),
    facts=Facts(
        np.fmod,
        _QUOTIENTS,
        domain=_AWAY,
        convention="where a / b is an integer, as if the quotient trunc(a / b) were constant",
        formula="a - b trunc(a / b)",
    ),
)
def fmod(xp: Backend, a: Array, b: Array) -> Array:
    """Remainder with the sign of the dividend a, as C's ``fmod``.

    Raises
    ------
    ZeroDivisionError
        An integer is divided by 0 (floats give NaN).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.fmod(mg.tensor([5.0, -5.0]), 3)
    tensor([ 2., -2.])
    """
    check_integers("fmod", a, b)
    return xp.quietly(xp.fmod, a, b)
