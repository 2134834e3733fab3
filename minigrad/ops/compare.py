"""Comparisons, logic and selection, element by element.

Comparisons and logic give bools and have no derivatives. Of a selection the selected operand gets
the gradient.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, is_array
from minigrad.engine.dtypes import get_default_dtype
from minigrad.engine.facts import ELEMENTWISE_2, Facts, S, at, booleans, integers
from minigrad.engine.op import op
from minigrad.engine.structural import cast

__all__ = [
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "clamp", "eq", "ge", "gt", "isclose",
    "isfinite", "isinf", "isnan", "le", "logical_and", "logical_not", "logical_or", "logical_xor",
    "lt", "maximum", "minimum", "nan_to_num", "ne", "where",
]  # fmt: skip

IndexArray = Any  # a mask: never cast, without a gradient

# Small integers, so that equal elements occur
_PAIRS = (
    *ELEMENTWISE_2,
    S(integers((3, 4), -2, 3), integers((3, 4), -2, 3)),
    S(integers((3, 4), -2, 3), integers((4,), -2, 3)),
)
_TRUTHS = (
    S(booleans((3, 4)), booleans((3, 4))),
    S(booleans((3, 1)), booleans((4,))),
    S(integers((3, 4), -1, 2), integers((3, 4), -1, 2)),
)
_BITS = (
    S(booleans((3, 4)), booleans((4,))),
    S(integers((3, 4), -8, 8), integers((3, 1), -8, 8)),
)


def _special(shape: tuple[int, ...]) -> Any:
    """Return a maker of arrays in which numbers, NaN and both infinities occur."""
    values = np.array([0.0, 1.5, -2.0, np.nan, np.inf, -np.inf])
    return lambda rng: values[rng.integers(0, 6, shape)]


_SPECIAL = (S(_special((4, 5))), S(_special(())), S((0, 3)), S(integers((3,), -2, 3)))


# ---- comparisons --------------------------------------------------------------------------------


@op(cast="common", facts=Facts(np.equal, _PAIRS, order=0, formula="a = b"))
def eq(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a equals b; NaN equals nothing.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.eq(mg.tensor([1.0, 2.0]), 2)
    tensor([False,  True])
    """
    return xp.equal(a, b)


@op(cast="common", facts=Facts(np.not_equal, _PAIRS, order=0, formula="a != b"))
def ne(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a differs from b; NaN differs from everything.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.ne(mg.tensor([1.0, 2.0]), 2)
    tensor([ True, False])
    """
    return xp.not_equal(a, b)


@op(cast="common", facts=Facts(np.less, _PAIRS, order=0, formula="a < b"))
def lt(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a is less than b.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.lt(mg.tensor([1.0, 2.0]), 2)
    tensor([ True, False])
    """
    return xp.less(a, b)


@op(cast="common", facts=Facts(np.less_equal, _PAIRS, order=0, formula="a <= b"))
def le(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a is at most b.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.le(mg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([ True,  True, False])
    """
    return xp.less_equal(a, b)


@op(cast="common", facts=Facts(np.greater, _PAIRS, order=0, formula="a > b"))
def gt(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a is greater than b.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.gt(mg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([False, False,  True])
    """
    return xp.greater(a, b)


@op(cast="common", facts=Facts(np.greater_equal, _PAIRS, order=0, formula="a >= b"))
def ge(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a is at least b.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.ge(mg.tensor([1.0, 2.0, 3.0]), 2)
    tensor([False,  True,  True])
    """
    return xp.greater_equal(a, b)


@op(cast="common", facts=Facts(np.isnan, _SPECIAL, order=0))
def isnan(xp: Backend, x: Array) -> Array:
    """Whether an element is not a number (never of ints and bools).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.isnan(mg.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return xp.isnan(x)


@op(cast="common", facts=Facts(np.isinf, _SPECIAL, order=0))
def isinf(xp: Backend, x: Array) -> Array:
    """Whether an element is infinite, of either sign (never of ints and bools).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.isinf(mg.tensor([1.0, -float("inf")]))
    tensor([False,  True])
    """
    return xp.isinf(x)


@op(cast="common", facts=Facts(np.isfinite, _SPECIAL, order=0))
def isfinite(xp: Backend, x: Array) -> Array:
    """Whether an element is a finite number (always of ints and bools).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.isfinite(mg.tensor([1.0, float("nan"), float("inf")]))
    tensor([ True, False, False])
    """
    return xp.isfinite(x)


@op(
    cast="common",
    facts=Facts(
        lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: np.isclose(a, b, rtol, atol, equal_nan),
        (
            *_PAIRS,
            S(_special((40,)), _special((40,))),
            S(_special((40,)), _special((40,)), equal_nan=True),
            S((20,), (20,), rtol=0.5, atol=0.1),
        ),
        order=0,
        formula="|a - b| <= atol + rtol |b|",
    ),
)
def isclose(
    xp: Backend,
    a: Array,
    b: Array,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Array:
    """Whether a is close to b: ``|a - b| <= atol + rtol |b|``, or both are the same infinity.

    NaN is close to NaN only with ``equal_nan``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.isclose(mg.tensor([1.0, 1.1]), mg.tensor([1.000001, 1.0]))
    tensor([ True, False])
    """
    return xp.quietly(xp.isclose, a, b, rtol, atol, equal_nan)


# ---- logic --------------------------------------------------------------------------------------


@op(cast="common", facts=Facts(np.logical_and, _TRUTHS, order=0))
def logical_and(xp: Backend, a: Array, b: Array) -> Array:
    """Whether both a and b are true; a number is true unless it is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.logical_and(mg.tensor([True, True]), mg.tensor([0, 3]))
    tensor([False,  True])
    """
    return xp.logical_and(a, b)


@op(cast="common", facts=Facts(np.logical_or, _TRUTHS, order=0))
def logical_or(xp: Backend, a: Array, b: Array) -> Array:
    """Whether a or b is true, or both; a number is true unless it is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.logical_or(mg.tensor([True, False]), mg.tensor([0, 0]))
    tensor([ True, False])
    """
    return xp.logical_or(a, b)


@op(cast="common", facts=Facts(np.logical_xor, _TRUTHS, order=0))
def logical_xor(xp: Backend, a: Array, b: Array) -> Array:
    """Whether exactly one of a and b is true; a number is true unless it is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.logical_xor(mg.tensor([True, True]), mg.tensor([0, 3]))
    tensor([ True, False])
    """
    return xp.logical_xor(a, b)


@op(
    cast="common",
    facts=Facts(np.logical_not, (S(booleans((3, 4))), S(integers((5,), -1, 2))), order=0),
)
def logical_not(xp: Backend, x: Array) -> Array:
    """Whether x is false; a number is false if it is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.logical_not(mg.tensor([0, 3]))
    tensor([ True, False])
    """
    return xp.logical_not(x)


def _check_bits(name: str, a: Any, b: Any) -> None:
    dtype = (a if is_array(a) else b).dtype
    if dtype.kind == "f":
        raise TypeError(
            f"{name} works on the bits of bools and ints, not of {dtype}; "
            "compare first, as in x > 0, to get bools"
        )


@op(cast="common", facts=Facts(np.bitwise_and, _BITS, order=0, formula="a & b"))
def bitwise_and(xp: Backend, a: Array, b: Array) -> Array:
    """Bits that are set in both a and b (of bools: and).

    Raises
    ------
    TypeError
        An operand is floating.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.bitwise_and(mg.tensor([12, 7]), 10)
    tensor([8, 2])
    """
    _check_bits("bitwise_and", a, b)
    return xp.bitwise_and(a, b)


@op(cast="common", facts=Facts(np.bitwise_or, _BITS, order=0, formula="a | b"))
def bitwise_or(xp: Backend, a: Array, b: Array) -> Array:
    """Bits that are set in a or b (of bools: or).

    Raises
    ------
    TypeError
        An operand is floating.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.bitwise_or(mg.tensor([12, 7]), 10)
    tensor([14, 15])
    """
    _check_bits("bitwise_or", a, b)
    return xp.bitwise_or(a, b)


@op(cast="common", facts=Facts(np.bitwise_xor, _BITS, order=0, formula="a ^ b"))
def bitwise_xor(xp: Backend, a: Array, b: Array) -> Array:
    """Bits that are set in exactly one of a and b (of bools: exclusive or).

    Raises
    ------
    TypeError
        An operand is floating.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.bitwise_xor(mg.tensor([12, 7]), 10)
    tensor([ 6, 13])
    """
    _check_bits("bitwise_xor", a, b)
    return xp.bitwise_xor(a, b)


@op(
    cast="common",
    facts=Facts(np.invert, (S(booleans((3, 4))), S(integers((5,), -8, 8))), order=0, formula="~x"),
)
def bitwise_not(xp: Backend, x: Array) -> Array:
    """All bits turned over: of an int ``-x - 1``, of a bool the opposite.

    Raises
    ------
    TypeError
        x is floating.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.bitwise_not(mg.tensor([0, 5])), mg.bitwise_not(mg.tensor([True]))
    (tensor([-1, -6]), tensor([False]))
    """
    _check_bits("bitwise_not", x, x)
    return xp.invert(x)


# ---- selection ----------------------------------------------------------------------------------


def _where_hint(shapes: list[tuple[int, ...]], options: dict[str, Any]) -> str | None:
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(str(list(s)) for s in shapes)
        return (
            f"the shapes of condition, input and other, {listed}, do not broadcast together; "
            "sizes must be equal or 1, counted from the last axis"
        )
    return None


@op(
    cast="common",
    hint=_where_hint,
    input=lambda g, condition: where(condition, g, 0),
    other=lambda g, condition: where(condition, 0, g),
    facts=Facts(
        np.where,
        [
            S(booleans((3, 4)), (3, 4), (3, 4)),
            S(booleans((4,)), (3, 4), (3, 1)),
            S(booleans((3, 1)), (4,), ()),
            S(booleans((3, 4)), (3, 1), (4,)),
            S(booleans(()), (2, 3), (3,)),
            S(booleans((0, 3)), (0, 3), (3,)),
        ],
        formula="input where the condition holds, else other",
    ),
)
def where(xp: Backend, condition: IndexArray, input: Array, other: Array) -> Array:
    """Take ``input`` where the condition is true and ``other`` elsewhere.

    The operand that is not taken gets a gradient of exactly 0 there, even where the gradient of
    the output is infinite or NaN. But what made the operand can still turn that 0 into NaN: the
    derivative of ``where(x > 0, sqrt(x), 0)`` at 0 is ``0 * inf``. Choose a safe argument first:
    ``sqrt(where(x > 0, x, 1))``.

    Parameters
    ----------
    condition : bool array
        Broadcasts with the other two; it is never cast.
    input, other : array or number
        Numbers alone give a tensor of the default dtype.

    Raises
    ------
    TypeError
        The condition is not of bools.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([-1.0, 2.0])
    >>> mg.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    dtype = getattr(condition, "dtype", None)
    if dtype is None or dtype.kind != "b":
        found = type(condition).__name__ if dtype is None else dtype
        raise TypeError(
            f"the condition must be a tensor of bools, not {found}; compare first, as in x > 0"
        )
    y = xp.where(condition, input, other)
    if y.dtype.kind == "f" and not (is_array(input) or is_array(other)):
        y = y.astype(get_default_dtype())
    return y


_TIES = [1.0, 1.0, 3.0, math.nan, 1.0], [1.0, 2.0, 2.0, 1.0, math.nan]


def _larger(g: Any, a: Any, b: Any) -> Any:
    """Give a its share in ``maximum(a, b)``: all, half at a tie, nothing; all if one is NaN."""
    return g * (1 - 0.5 * (cast(b > a, g.dtype) + cast(b >= a, g.dtype)))


@op(
    cast="common",
    a=_larger,
    b=lambda g, a, b: _larger(g, b, a),
    facts=Facts(
        np.maximum,
        (*ELEMENTWISE_2, at(*_TIES, slopes=([0.5, 0, 1, 1, 1], [0.5, 1, 0, 1, 1]))),
        convention="at a tie each operand gets half of the gradient",
        formula="the larger of a and b",
    ),
)
def maximum(xp: Backend, a: Array, b: Array) -> Array:
    """Return the larger of two elements; NaN if one is NaN. At a tie each gets half the gradient.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.maximum(mg.tensor([1.0, 5.0]), mg.tensor([3.0, 4.0]))
    tensor([3., 5.])
    """
    return xp.maximum(a, b)


def _smaller(g: Any, a: Any, b: Any) -> Any:
    """Give a its share in ``minimum(a, b)``."""
    return g * (1 - 0.5 * (cast(b < a, g.dtype) + cast(b <= a, g.dtype)))


@op(
    cast="common",
    a=_smaller,
    b=lambda g, a, b: _smaller(g, b, a),
    facts=Facts(
        np.minimum,
        (*ELEMENTWISE_2, at(*_TIES, slopes=([0.5, 1, 0, 1, 1], [0.5, 0, 1, 1, 1]))),
        convention="at a tie each operand gets half of the gradient",
        formula="the smaller of a and b",
    ),
)
def minimum(xp: Backend, a: Array, b: Array) -> Array:
    """Return the smaller of two elements; NaN if one is NaN. At a tie each gets half the gradient.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.minimum(mg.tensor([1.0, 5.0]), mg.tensor([3.0, 4.0]))
    tensor([1., 4.])
    """
    return xp.minimum(a, b)


def _clamp_rule(g: Any, x: Any, min: Any, max: Any) -> Any:
    if max is None:
        return g * (x >= min)
    return g * (x <= max) if min is None else g * ((x >= min) & (x <= max))


def _clamp_min_rule(g: Any, x: Any, min: Any, max: Any) -> Any:
    return g * (x < min) if max is None else g * ((x < min) & (min < max))


def _clamp_max_rule(g: Any, x: Any, min: Any, max: Any) -> Any:
    return g * (x > max) if min is None else g * ((x > max) | (max < min))


@op(
    cast="common",
    x=_clamp_rule,
    min=_clamp_min_rule,
    max=_clamp_max_rule,
    facts=Facts(
        lambda x, min=None, max=None: np.clip(x, min, max),
        [
            S((3, 4), (), ()),
            S((3, 4), (4,), (3, 1)),
            S((3, 4), (), None),
            S((3, 4), None, (3, 4)),
            S((), (), ()),
            S((0, 3), (), ()),
            at(  # at a bound, between equal bounds, between bounds that are the wrong way round
                [-1.0, 1.0, 1.0, 0.0, 1.0, 2.0, 3.0],
                [-1.0, -1.0, 1.0, 2.0, 2.0, 2.0, 2.0],
                [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
                slopes=([1, 1, 1, 0, 0, 0, 0], [0] * 7, [0, 0, 0, 1, 1, 1, 1]),
            ),
            at([0.0, 1.0], [0.0, 1.0], [0.0, 1.0], slopes=([1, 1], [0, 0], [0, 0])),
            at([-2.0, 2.0], [0.0, 1.0], [0.0, 1.0], slopes=([0, 0], [0, 0], [0, 1])),
            at([-1.0, 2.0], [-1.0, 3.0], None, slopes=([1, 0], [0, 1])),
            at([-1.0, 4.0], None, [-1.0, 3.0], slopes=([1, 0], None, [0, 1])),
        ],
        domain=((-2.0, 2.0), (-1.0, -0.5), (0.5, 1.0)),
        convention="at a bound x gets the whole gradient and the bound nothing",
        formula="min(max(x, min), max)",
    ),
)
def clamp(xp: Backend, x: Array, min: Array | None = None, max: Array | None = None) -> Array:
    """Bring x into ``[min, max]``; if min exceeds max, everything becomes max.

    The derivative is 1 inside and at the bounds, and 0 outside, where a bound that is a tensor
    gets the gradient instead.

    Parameters
    ----------
    x : array
        The values.
    min, max : number or array, optional
        The bounds, which broadcast with x; one may be left out.

    Raises
    ------
    ValueError
        Both bounds are missing.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.clamp(mg.tensor([-2.0, 0.5, 3.0]), -1, 1)
    tensor([-1. ,  0.5,  1. ])
    """
    if min is None and max is None:
        raise ValueError("clamp needs a bound: give min, max or both")
    y = x if min is None else xp.maximum(x, min)
    return y if max is None else xp.minimum(y, max)


@op(
    cast="common",
    x=lambda g, x: g * isfinite(x),
    facts=Facts(
        lambda x, nan=0.0, posinf=None, neginf=None: np.nan_to_num(
            x, nan=nan, posinf=posinf, neginf=neginf
        ),
        [
            S((3, 4)),
            S(()),
            S((0, 3)),
            S(_special((4, 5)), posinf=1e3, neginf=-1e3),
            S(_special((4, 5)), nan=1.0, posinf=2.0, neginf=-3.0),
            S(integers((3,), -2, 3)),
            at(
                [math.nan, math.inf, -math.inf, 2.0],
                slopes=([0, 0, 0, 1],),
                posinf=3.0,
                neginf=-3.0,
            ),
        ],
        convention="what is replaced gets no gradient",
    ),
)
def nan_to_num(
    xp: Backend,
    x: Array,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Array:
    """Replace NaN and the infinities by numbers (the infinities by the dtype's largest, if None).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nan_to_num(mg.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    return xp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
