"""Elementwise arithmetic: one line of calculus each.

A rule gets ``g``, the gradient of the output, and by name what else it needs (see
`minigrad.engine.op`). Broadcast operands need no care: the engine sums their gradient back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, is_array
from minigrad.engine.dtypes import get_default_dtype
from minigrad.engine.facts import ELEMENTWISE_1, ELEMENTWISE_2, Facts, S, at, integers
from minigrad.engine.op import op
from minigrad.ops.rounding import check_integers, zeros

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "div", "hypot", "lerp", "mul", "neg", "reciprocal", "sign",
    "square", "sub",
]  # fmt: skip


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


def _div_reference(a: Any, b: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode is None:
        return np.divide(a, b)
    if rounding_mode == "floor":
        return np.floor_divide(a, b)
    return np.trunc(np.divide(a, b)).astype(np.result_type(a, b))


@op(
    cast="common",
    a=lambda g, b, rounding_mode: g / b if rounding_mode is None else zeros(g),
    b=lambda g, b, y, rounding_mode: -g * y / b if rounding_mode is None else zeros(g),
    facts=Facts(
        _div_reference,
        (
            *ELEMENTWISE_2,
            S((3, 4), (4,), rounding_mode="floor"),
            S((3, 4), (4,), rounding_mode="trunc"),
            S(integers((3, 4), -7, 8), integers((4,), 1, 4)),
            S(integers((3, 4), -7, 8), integers((4,), 1, 4), rounding_mode="floor"),
            S(integers((3, 4), -7, 8), integers((4,), 1, 4), rounding_mode="trunc"),
        ),
        domain=((5.2, 5.8), (2.0, 2.5)),
        analytic=True,
        convention="with a rounding_mode 0 everywhere, at the jumps too",
        formula="a / b",
    ),
)
def div(xp: Backend, a: Array, b: Array, rounding_mode: str | None = None) -> Array:
    """Quotient; of ints a float, unless it is rounded.

    Parameters
    ----------
    a, b : array or number
        Dividend and divisor. A float divided by 0 is infinite, and ``0 / 0`` is NaN.
    rounding_mode : {None, "floor", "trunc"}
        Round the quotient down, or towards 0; then ints stay ints, and the derivative is 0.

    Raises
    ------
    ZeroDivisionError
        An integer is divided by 0 with a ``rounding_mode``.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([7, -7])
    >>> mg.div(x, 2), mg.div(x, 2, rounding_mode="floor"), mg.div(x, 2, rounding_mode="trunc")
    (tensor([ 3.5, -3.5]), tensor([ 3, -4]), tensor([ 3, -3]))
    """
    kind = (a if is_array(a) else b).dtype.kind
    if rounding_mode is None:
        if kind in "biu":
            a, b = _to_float(a), _to_float(b)
        return xp.quietly(xp.divide, a, b)
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(
            f"rounding_mode must be None, 'floor' or 'trunc', not {rounding_mode!r:.40}"
        )
    check_integers("div", a, b)
    if rounding_mode == "floor":
        return xp.quietly(xp.floor_divide, a, b)
    if kind == "f":
        return xp.quietly(_truncated, xp, a, b)
    return (a - xp.fmod(a, b)) // b  # divides without a rest


def _to_float(x: Any) -> Any:
    return x.astype(get_default_dtype()) if is_array(x) else float(x)


def _truncated(xp: Any, a: Any, b: Any) -> Any:
    return xp.trunc(a / b)


@op(cast="common", x=lambda g: -g,
    facts=Facts(np.negative, ELEMENTWISE_1, analytic=True, formula="-x"))  # fmt: skip
def neg(xp: Backend, x: Array) -> Array:
    """Opposite.

    Raises
    ------
    TypeError
        x is of bools; ``~x`` turns them over.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.neg(mg.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return -x


@op(
    cast="common",
    x=lambda g, x: g * sign(x),
    facts=Facts(
        np.abs,
        (*ELEMENTWISE_1, S(integers((5,), -3, 4)), at([0.0, -2.0], slopes=([0, -1],))),
        kinks=(0,),
        convention="0 at 0",
        formula="|x|",
    ),
)
def abs(xp: Backend, x: Array) -> Array:
    """Absolute value; its derivative at 0 is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.abs(mg.tensor([-1.5, 2.0]))
    tensor([1.5, 2. ])
    """
    return xp.abs(x)


@op(
    cast="common",
    x=lambda g: zeros(g),
    facts=Facts(
        np.sign,
        (*ELEMENTWISE_1, S(integers((5,), -3, 4))),
        kinks=(0,),
        convention="0 everywhere, at 0 too",
        order=0,
        formula="-1, 0 or 1",
    ),
)
def sign(xp: Backend, x: Array) -> Array:
    """-1, 0 or 1 by the sign of x, NaN of NaN; its derivative is 0, at 0 too.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sign(mg.tensor([-1.5, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return x.copy() if x.dtype.kind == "b" else xp.sign(x)


@op(cast="common", x=lambda g, x: g * (2 * x),
    facts=Facts(np.square, ELEMENTWISE_1, analytic=True, formula="x^2"))  # fmt: skip
def square(xp: Backend, x: Array) -> Array:
    """Square (of bools as int64).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.square(mg.tensor([-1.5, 2.0]))
    tensor([2.25, 4.  ])
    """
    if x.dtype.kind == "b":
        x = x.astype(xp.int64)
    return xp.quietly(xp.multiply, x, x)


@op(
    cast="float",
    x=lambda g, y: -g * y * y,
    facts=Facts(np.reciprocal, ELEMENTWISE_1, (0.5, 2.0), analytic=True, formula="1 / x"),
)
def reciprocal(xp: Backend, x: Array) -> Array:
    """``1 / x``; at 0 infinite.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.reciprocal(mg.tensor([0.5, 4.0]))
    tensor([2.  , 0.25])
    """
    return xp.quietly(xp.divide, 1, x)


_CORNER = [math.nan, 0]


@op(
    cast="float",
    a=lambda g, a, y: g * (a / y),
    b=lambda g, b, y: g * (b / y),
    facts=Facts(
        np.hypot,
        (*ELEMENTWISE_2, at([0.0, 0.0], [0.0, 2.0], slopes=(_CORNER, [math.nan, 1]))),
        (0.2, 2.0),
        convention="NaN at (0, 0), as in torch",
        formula="sqrt(a^2 + b^2)",
    ),
)
def hypot(xp: Backend, a: Array, b: Array) -> Array:
    """Length of the hypotenuse, ``sqrt(a^2 + b^2)`` without overflow on the way.

    At ``(0, 0)``, where it has no derivative, the gradients are NaN.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hypot(mg.tensor([3.0, 3e30]), mg.tensor([4.0, 4e30]))
    tensor([5.e+00, 5.e+30])
    """
    return xp.quietly(xp.hypot, a, b)


_THREE = (
    S((3, 4), (3, 4), (3, 4)),
    S((3, 4), (4,), (3, 1)),
    S((), (2, 3), (3,)),
    S((0, 3), (0, 3), (3,)),
)


def _check_value(name: str, x: Any, value: float) -> None:
    if x.dtype.kind != "f" and int(value) != value:
        raise TypeError(f"{name}: value={value!r} does not fit {x.dtype} operands; give an int")


@op(
    cast="common",
    x=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    tensor2=lambda g, tensor1, value: g * (tensor1 * value),
    facts=Facts(
        lambda x, tensor1, tensor2, value=1: x + value * tensor1 * tensor2,
        (*_THREE, S((3, 4), (4,), (3, 1), value=-0.5)),
        analytic=True,
        formula="x + value tensor1 tensor2",
    ),
)
def addcmul(xp: Backend, x: Array, tensor1: Array, tensor2: Array, value: float = 1) -> Array:
    """Add a product: ``x + value * tensor1 * tensor2``.

    Raises
    ------
    TypeError
        The operands are ints and ``value`` is not.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.addcmul(mg.tensor([1.0]), mg.tensor([2.0]), mg.tensor([3.0]), value=0.5)
    tensor([4.])
    """
    product = tensor1 * tensor2
    if value != 1:
        _check_value("addcmul", product, value)
        product = product * value
    return x + product


@op(
    cast="float",
    x=lambda g: g,
    tensor1=lambda g, tensor2, value: g * value / tensor2,
    tensor2=lambda g, tensor1, tensor2, value: -g * value * tensor1 / (tensor2 * tensor2),
    facts=Facts(
        lambda x, tensor1, tensor2, value=1: x + value * tensor1 / tensor2,
        (*_THREE, S((3, 4), (4,), (3, 1), value=-0.5)),
        domain=((-2.0, 2.0), (-2.0, 2.0), (0.5, 2.0)),
        analytic=True,
        formula="x + value tensor1 / tensor2",
    ),
)
def addcdiv(xp: Backend, x: Array, tensor1: Array, tensor2: Array, value: float = 1) -> Array:
    """Add a quotient: ``x + value * tensor1 / tensor2``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.addcdiv(mg.tensor([1.0]), mg.tensor([3.0]), mg.tensor([2.0]), value=2)
    tensor([4.])
    """
    return x + value * xp.quietly(xp.divide, tensor1, tensor2)


@op(
    cast="float",
    x=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, x, end: g * (end - x),
    facts=Facts(
        lambda x, end, weight: x + weight * (end - x),
        _THREE,
        domain=((-2.0, 2.0), (-2.0, 2.0), (-0.5, 1.5)),
        formula="x + weight (end - x)",
    ),
)
def lerp(xp: Backend, x: Array, end: Array, weight: Array) -> Array:
    """Interpolate between x (weight 0) and ``end`` (weight 1), both ends exactly.

    Parameters
    ----------
    x, end : array
        Start and end.
    weight : number or array
        It may be outside ``[0, 1]``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.lerp(mg.tensor([0.0, 10.0]), mg.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.25, 12.5 ])
    """
    step = end - x
    if is_array(weight):
        return xp.where(xp.abs(weight) < 0.5, x + weight * step, end - (1 - weight) * step)
    return x + weight * step if -0.5 < weight < 0.5 else end - (1 - weight) * step
