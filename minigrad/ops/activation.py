"""Activation functions, element by element.

Each is right, in its dtype, for any x: the formulas let exp overflow only where 1 / inf = 0 is the
value. float16 is computed in float32 and rounded once. At a kink the derivative is torch's, and
each function says which.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of
from minigrad.engine.facts import ELEMENTWISE_1, Facts, S, Sample, at, integers
from minigrad.engine.op import fused, op
from minigrad.engine.structural import cast, sum_to
from minigrad.engine.tensor import Tensor
from minigrad.ops.compare import clamp, minimum, where
from minigrad.ops.exponential import erfc, exp, expm1
from minigrad.ops.kernels import wide
from minigrad.ops.trigonometric import tanh

__all__ = [
    "celu", "elu", "gelu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid",
    "mish", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign",
    "tanhshrink",
]  # fmt: skip


def _in_float32(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Let a forward of several steps compute float16 in float32, and so round only once."""

    @wraps(forward)
    def run(xp: Any, x: Any, *options: Any) -> Any:
        if x.itemsize != 2:
            return forward(xp, x, *options)
        y = forward(xp, x.astype(xp.float32), *options)
        return (y[0].astype(x.dtype), y[1]) if type(y) is tuple else y.astype(x.dtype)

    return run


def _logistic(xp: Any, x: Any) -> Any:
    return 1 / (1 + xp.exp(-x))


# ---- smooth -------------------------------------------------------------------------------------


@op(
    cast="float",
    x=lambda g, y: g * (y * (1 - y)),
    facts=Facts(
        "scipy.special.expit",
        ELEMENTWISE_1,
        domain=(-4.0, 4.0),
        analytic=True,
        formula="1 / (1 + e^-x)",
    ),
)
@_in_float32
def sigmoid(xp: Backend, x: Array) -> Array:
    """Logistic function ``1 / (1 + exp(-x))``; its derivative is ``y (1 - y)``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.sigmoid(mg.tensor([-1e4, 0.0, 1.0]))
    tensor([0.       , 0.5      , 0.73106])
    """
    return xp.quietly(_logistic, xp, x)


@op(
    cast="float",
    x=lambda g, y: g * -expm1(y),
    facts=Facts(
        lambda x: -np.logaddexp(0, -x),
        ELEMENTWISE_1,
        domain=(-4.0, 4.0),
        torch="nn.functional.logsigmoid",
        formula="ln(1 / (1 + e^-x))",
    ),
)
@_in_float32
def logsigmoid(xp: Backend, x: Array) -> Array:
    """Logarithm of the logistic function, ``-log(1 + exp(-x))``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.logsigmoid(mg.tensor([-1e4, 0.0, 1e4]))
    tensor([-1.00000e+04, -6.93147e-01,  0.00000e+00])
    """
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))


def _softplus_rule(g: Any, x: Any, beta: float, threshold: float) -> Any:
    scaled = x * beta
    return where(scaled > threshold, g, g * sigmoid(scaled))


def _softplus_reference(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


@op(
    cast="float",
    x=_softplus_rule,
    facts=Facts(
        _softplus_reference,
        (
            *ELEMENTWISE_1,
            S((3, 4), beta=2.5),
            S((30,), beta=-0.5),
            S((30,), threshold=1.05),
            at([1.0, 1.5], slopes=([1 / (1 + math.exp(-1)), 1],), threshold=1.0),
        ),
        domain=(-4.0, 4.0),
        kinks=(1.05,),
        convention="where beta x is at most the threshold, that of the logarithm; above it 1",
        torch="nn.functional.softplus",
        formula="ln(1 + e^(beta x)) / beta, or x where beta x > threshold",
    ),
)
@_in_float32
def softplus(xp: Backend, x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Smooth form of relu, ``log(1 + exp(beta x)) / beta``, and x where ``beta x > threshold``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.softplus(mg.tensor([-1e4, 0.0, 1e4]))
    tensor([0.00000e+00, 6.93147e-01, 1.00000e+04])
    """
    scaled = x * beta
    y = (xp.maximum(scaled, 0) + xp.log1p(xp.exp(-xp.abs(scaled)))) / beta
    return xp.where(scaled > threshold, x, y)


@fused(
    lambda x: x * sigmoid(x),
    cast="float",
    aux=True,
    x=lambda g, x, aux: g * (aux * (1 + x * (1 - aux))),
    facts=Facts(
        lambda x: x / (1 + np.exp(-x)),
        ELEMENTWISE_1,
        domain=(-4.0, 4.0),
        analytic=True,
        torch="nn.functional.silu",
        formula="x / (1 + e^-x)",
    ),
)
@_in_float32
def silu(xp: Backend, x: Array) -> tuple[Array, Array]:
    """Sigmoid linear unit (swish), ``x sigmoid(x)``.

    Fused so that backward has the sigmoid without computing it again.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.silu(mg.tensor([-1e4, 0.0, 1.0]))
    tensor([-0.       ,  0.       ,  0.73106])
    """
    return xp.quietly(_silu, xp, x)


def _silu(xp: Any, x: Any) -> Any:
    s = _logistic(xp, x)
    return x * s, s


def _mish_meaning(x: Any) -> Any:
    return x * tanh(softplus(x))


@fused(
    _mish_meaning,
    cast="float",
    aux=True,
    x=lambda g, x, aux: g * (aux + x * (1 - aux * aux) * sigmoid(x)),
    facts=Facts(
        lambda x: x * np.tanh(np.logaddexp(0, x)),
        ELEMENTWISE_1,
        domain=(-4.0, 4.0),
        torch="nn.functional.mish",
        formula="x tanh(ln(1 + e^x))",
    ),
)
@_in_float32
def mish(xp: Backend, x: Array) -> tuple[Array, Array]:
    """Mish, ``x tanh(softplus(x))``.

    Fused because the tanh of the logarithm is a ratio, ``n / (n + 2)`` with ``n = e^x (e^x + 2)``,
    which takes one exponential.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.mish(mg.tensor([-1e4, 0.0, 1.0]))
    tensor([-0.       ,  0.       ,  0.86510])
    """
    return xp.quietly(_mish, xp, x)


def _mish(xp: Any, x: Any) -> Any:
    e = xp.exp(xp.minimum(x, 20))  # beyond 20 the ratio is 1 to the last digit
    n = e * (e + 2)
    ratio = n / (n + 2)
    return x * ratio, ratio


_SQRT_HALF = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
_TANH_SCALE = 2 * math.sqrt(2 / math.pi)
_TANH_CUBE = 0.044715
_TANH_END = 30.0  # beyond it the sigmoid is 0 or 1 in every dtype


def _gelu_meaning(x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        return x * sigmoid(_TANH_SCALE * (x + _TANH_CUBE * (x * x * x)))
    return x * (0.5 * erfc(-_SQRT_HALF * x))


def _gelu_rule(g: Any, x: Any, aux: Any, approximate: str) -> Any:
    slope = _gelu_tanh_slope if approximate == "tanh" else _gelu_slope
    return backend_of(x).in_blocks(slope, wide(x), aux, wide(g))


def _gelu_slope(xp: Any, x: Any, share: Any, g: Any) -> Any:
    d = x * x
    d *= -0.5
    xp.exp(d, out=d)
    d *= x
    d *= _DENSITY
    d += share
    d *= g
    return d


def _gelu_tanh_slope(xp: Any, x: Any, share: Any, g: Any) -> Any:
    c = x.clip(-_TANH_END, _TANH_END)
    d = c * c
    d *= 3 * _TANH_SCALE * _TANH_CUBE
    d += _TANH_SCALE
    d *= c
    d *= share
    xp.subtract(1, share, out=c)
    d *= c  # 0 where c was not x
    d += share
    d *= g
    return d


def _gelu_reference(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2
    return x * np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2


@fused(
    _gelu_meaning,
    cast="float",
    aux=True,
    x=_gelu_rule,
    facts=Facts(
        _gelu_reference,
        (
            *ELEMENTWISE_1,
            S((3, 4), approximate="tanh"),
            S((0, 3), approximate="tanh"),
            at([-3e4, 3e4], slopes=([0, 1],), approximate="tanh"),
        ),
        domain=(-4.0, 4.0),
        torch="nn.functional.gelu",
        formula="x (1 + erf(x / sqrt 2)) / 2",
    ),
)
@_in_float32
def gelu(xp: Backend, x: Array, approximate: str = "none") -> tuple[Array, Array]:
    """Gaussian error linear unit, x times the normal distribution function at x.

    ``approximate="tanh"`` takes ``(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`` for the latter.
    Both forms keep their relative precision for negative x. Fused so that backward has the
    distribution function without computing it again.

    Raises
    ------
    ValueError
        ``approximate`` is neither ``"none"`` nor ``"tanh"``.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv:1606.08415.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.gelu(mg.tensor([-1e4, 0.0, 1.0])), mg.gelu(mg.tensor([1.0]), approximate="tanh")
    (tensor([-0.       ,  0.       ,  0.84134]), tensor([0.84119]))
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate must be 'none' or 'tanh', not {approximate!r:.40}")
    return xp.quietly(xp.in_blocks, _gelu_tanh if approximate == "tanh" else _gelu, x)


def _gelu(xp: Any, x: Any) -> Any:
    share = xp.normal_cdf(x)
    return x * share, share


def _gelu_tanh(xp: Any, x: Any) -> Any:
    c = x.clip(-_TANH_END, _TANH_END)
    u = c * c
    u *= -_TANH_SCALE * _TANH_CUBE
    u -= _TANH_SCALE
    u *= c
    xp.exp(u, out=u)
    u += 1
    share = xp.divide(1, u, out=u)
    return x * share, share


@op(
    cast="float",
    x=lambda g, x: g / (1 + abs(x)) / (1 + abs(x)),
    facts=Facts(
        lambda x: x / (1 + np.abs(x)),
        ELEMENTWISE_1,
        kinks=(0,),
        convention="1 at 0; only the second derivative jumps there",
        torch="nn.functional.softsign",
        formula="x / (1 + |x|)",
    ),
)
@_in_float32
def softsign(xp: Backend, x: Array) -> Array:
    """``x / (1 + |x|)``, a tanh with long tails.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.softsign(mg.tensor([-3.0, 0.0, 1.0]))
    tensor([-0.75,  0.  ,  0.5 ])
    """
    return xp.quietly(_softsign, xp, x)


def _softsign(xp: Any, x: Any) -> Any:
    return x / (1 + xp.abs(x))


def _tanh_squared(x: Any) -> Any:
    t = tanh(x)
    return t * t


@op(
    cast="float",
    x=lambda g, x: g * _tanh_squared(x),
    facts=Facts(
        lambda x: x - np.tanh(x),
        ELEMENTWISE_1,
        analytic=True,
        torch="nn.functional.tanhshrink",
        formula="x - tanh x",
    ),
)
@_in_float32
def tanhshrink(xp: Backend, x: Array) -> Array:
    """Return what tanh takes away, ``x - tanh(x)``; its derivative is ``tanh(x)^2``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tanhshrink(mg.tensor([0.0, 1.0]))
    tensor([0.        , 0.23841])
    """
    return x - xp.tanh(x)


# ---- with a kink at 0 ---------------------------------------------------------------------------
# NumPy's maximum with a number is slow, its clip is not: 100,000 elements 45 -> 17 us for relu, and
# 210 -> 16 us for relu6, which takes two. On few elements maximum has less to call.


def _clip_at_0(xp: Any, out: Any, x: Any) -> None:
    x.clip(0, xp.inf, out=out)


def _where_positive(xp: Any, out: Any, g: Any, y: Any) -> None:
    xp.multiply(g, y > 0, out=out)


def _relu_rule(g: Any, y: Any) -> Any:
    if isinstance(g, Tensor):
        return g * (y > 0)
    return backend_of(g).into_blocks(_where_positive, g, y)


@op(
    cast="common",
    x=_relu_rule,
    facts=Facts(
        lambda x: np.maximum(x, 0),
        (*ELEMENTWISE_1, S(integers((5,), -3, 4))),
        kinks=(0,),
        convention="0 at 0",
        formula="max(x, 0)",
    ),
)
def relu(xp: Backend, x: Array) -> Array:
    """Rectified linear unit ``max(x, 0)``; its derivative at 0 is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.relu(mg.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    if x.size <= 8192 or x.dtype.kind != "f":
        return xp.maximum(x, 0)
    if xp.kernels is not None:  # CuPy's recorder does not see where a method writes
        return x.clip(0, xp.inf)
    return xp.into_blocks(_clip_at_0, x)


def _slope(x: Any, negative_slope: Any, dtype: Any) -> Any:
    """Return 1 where x is positive and ``negative_slope`` elsewhere, without a branch."""
    positive = cast(x > 0, dtype)
    return positive + negative_slope * (1 - positive)


@op(
    cast="float",
    x=lambda g, x, negative_slope: g * _slope(x, negative_slope, g.dtype),
    facts=Facts(
        lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
        (
            *ELEMENTWISE_1,
            *(S((3, 4), negative_slope=s) for s in (0.2, 0.0, 1.5, -0.5)),
            at([0.0], slopes=([0.2],), negative_slope=0.2),
        ),
        kinks=(0,),
        convention="negative_slope at 0",
        torch="nn.functional.leaky_relu",
        formula="x where x > 0, else negative_slope x",
    ),
)
def leaky_relu(xp: Backend, x: Array, negative_slope: float = 0.01) -> Array:
    """``x`` where it is positive, else ``negative_slope * x``; at 0 the derivative is that slope.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.leaky_relu(mg.tensor([-1.0, 2.0]))
    tensor([-0.01,  2.  ])
    """
    if negative_slope == 0:  # whose product with inf would be NaN
        return xp.maximum(x, 0)
    choose = xp.maximum if negative_slope <= 1 else xp.minimum
    return choose(x, negative_slope * x)


def _per_channel(weight: Any, shape: tuple[int, ...]) -> Any:
    """Give the weights of prelu the shape that broadcasts along the channels, axis 1."""
    channels = shape[1] if len(shape) > 1 else 1
    count = math.prod(weight.shape)
    if len(weight.shape) > 1 or count not in (1, channels):
        raise ValueError(
            f"weight of shape {list(weight.shape)} does not fit x of shape {list(shape)}; "
            f"it must hold one number, or one for each channel (axis 1): {channels}"
        )
    return weight.reshape(() if count == 1 else (count,) + (1,) * (len(shape) - 2))


def _prelu_weight_rule(g: Any, x: Any, weight_shape: tuple[int, ...]) -> Any:
    contribution = g * minimum(x, 0)
    if not weight_shape or weight_shape == (1,):
        return sum_to(contribution, ()).reshape(weight_shape)
    inner = weight_shape + (1,) * (len(x.shape) - 2)
    return sum_to(contribution, inner).reshape(weight_shape)


@op(
    cast="float",
    hint=lambda shapes, options: None,  # _per_channel says it
    x=lambda g, x, weight: g * _slope(x, _per_channel(weight, x.shape), g.dtype),
    weight=_prelu_weight_rule,
    facts=Facts(
        lambda x, weight: np.where(
            x > 0, x, x * weight.reshape((-1,) + (1,) * max(x.ndim - 2, 0))
        ).reshape(x.shape),
        [
            S((3, 4), (4,)),
            S((3, 4), (1,)),
            S((3, 4), ()),
            S((2, 3, 4, 5), (3,)),
            S((5,), (1,)),
            S((), (1,)),
            S((0, 3), (3,)),
            at([[0.0, 0.0]], [0.2, 1.5], slopes=([[0.2, 1.5]], [[0, 0]])),
        ],
        kinks=(0,),
        convention="at 0 the weight, as on the negative side",
        formula="x where x > 0, else weight x",
    ),
)
def prelu(xp: Backend, x: Array, weight: Array) -> Array:
    """Leaky relu with a slope that is learned: one, or one for each channel (axis 1).

    Shapes: x ``(N, C, ...)``, weight ``(C,)``, ``(1,)`` or ``()``. At 0 the derivative by x is the
    weight.

    Raises
    ------
    ValueError
        The number of weights is neither 1 nor the number of channels.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.prelu(mg.tensor([[-1.0, -1.0, 3.0]]), mg.tensor([0.1, 0.5, 0.9]))
    tensor([[-0.1, -0.5,  3. ]])
    """
    return xp.maximum(x, 0) + _per_channel(weight, x.shape) * xp.minimum(x, 0)


def _elu_slope(x: Any, alpha: float) -> Any:
    """Return 1 where x is positive and ``alpha e^x`` elsewhere."""
    slope = exp(minimum(x, 0))
    if alpha == 1:
        return slope
    return slope * alpha * (x <= 0) + (x > 0)


def _at_0(slope: float, **options: float) -> Sample:
    return at([0.0], slopes=([slope],), **options)


@op(
    cast="float",
    x=lambda g, x, alpha: g * _elu_slope(x, alpha),
    facts=Facts(
        lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
        (*ELEMENTWISE_1, S((3, 4), alpha=0.5), S((3, 4), alpha=-1.5), _at_0(0.5, alpha=0.5)),
        kinks=(0,),
        convention="alpha at 0",
        torch="nn.functional.elu",
        formula="x where x > 0, else alpha (e^x - 1)",
    ),
)
@_in_float32
def elu(xp: Backend, x: Array, alpha: float = 1.0) -> Array:
    """Exponential linear unit: x where it is positive, else ``alpha (exp(x) - 1)``.

    At 0 the derivative is alpha.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.elu(mg.tensor([-1e4, -1.0, 2.0]))
    tensor([-1.        , -0.63212,  2.        ])
    """
    return xp.maximum(x, 0) + alpha * xp.expm1(xp.minimum(x, 0))


_SELU_ALPHA = 1.6732632423543772848
_SELU_SCALE = 1.0507009873554804934


@op(
    cast="float",
    x=lambda g, x: g * (_SELU_SCALE * _elu_slope(x, _SELU_ALPHA)),
    facts=Facts(
        lambda x: 1.0507009873554804934 * np.where(x > 0, x, 1.6732632423543772848 * np.expm1(x)),
        (*ELEMENTWISE_1, _at_0(_SELU_SCALE * _SELU_ALPHA)),
        kinks=(0,),
        convention="1.758, the slope of the negative side, at 0",
        formula="1.0507 (x where x > 0, else 1.6733 (e^x - 1))",
    ),
)
@_in_float32
def selu(xp: Backend, x: Array) -> Array:
    """Self-normalising exponential linear unit: `elu` with two fixed constants.

    At 0 the derivative is that of the negative side, 1.758.

    References
    ----------
    Klambauer et al., "Self-Normalizing Neural Networks", arXiv:1706.02515.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.selu(mg.tensor([-1e4, 0.0, 1.0]))
    tensor([-1.75810,  0.       ,  1.05070 ])
    """
    negative = (_SELU_SCALE * _SELU_ALPHA) * xp.expm1(xp.minimum(x, 0))
    return _SELU_SCALE * xp.maximum(x, 0) + negative


@op(
    cast="float",
    x=lambda g, x, alpha: g * exp(minimum(x, 0) / alpha),
    facts=Facts(
        lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
        (*ELEMENTWISE_1, S((3, 4), alpha=0.5), S((3, 4), alpha=2.0), _at_0(1, alpha=0.5)),
        kinks=(0,),
        convention="1 at 0; only the second derivative jumps there",
        formula="x where x > 0, else alpha (e^(x / alpha) - 1)",
    ),
)
@_in_float32
def celu(xp: Backend, x: Array, alpha: float = 1.0) -> Array:
    """Exponential linear unit with a continuous derivative for every alpha.

    x where it is positive, else ``alpha (exp(x / alpha) - 1)``.

    Raises
    ------
    ZeroDivisionError
        alpha is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.celu(mg.tensor([-1e4, -1.0, 2.0]), alpha=2.0)
    tensor([-2.        , -0.78694,  2.        ])
    """
    if alpha == 0:
        raise ZeroDivisionError("celu divides by alpha, which must not be 0; relu is its limit")
    return xp.maximum(x, 0) + xp.quietly(_celu_negative, xp, x, alpha)


def _celu_negative(xp: Any, x: Any, alpha: float) -> Any:
    return alpha * xp.expm1(xp.minimum(x, 0) / alpha)


# ---- with two kinks -----------------------------------------------------------------------------


@op(
    cast="common",
    x=lambda g, y: g * ((y > 0) & (y < 6)),
    facts=Facts(
        lambda x: np.clip(x, 0, 6),
        (*ELEMENTWISE_1, S(integers((9,), -3, 9)), at([0.0, 6.0], slopes=([0, 0],))),
        domain=(-2.0, 8.0),
        kinks=(0, 6),
        convention="0 at 0 and at 6",
        torch="nn.functional.relu6",
        formula="min(max(x, 0), 6)",
    ),
)
def relu6(xp: Backend, x: Array) -> Array:
    """Rectified linear unit that stops at 6; its derivative at 0 and at 6 is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.relu6(mg.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return x.clip(0, 6)


@op(
    cast="common",
    x=lambda g, y, min_val, max_val: g * ((y > min_val) & (y < max_val)),
    facts=Facts(
        lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
        (*ELEMENTWISE_1, S((20,), min_val=-1.0, max_val=0.5), at([-1.0, 1.0], slopes=([0, 0],))),
        kinks=(-1, 0.5, 1),
        convention="0 at both bounds",
        torch="nn.functional.hardtanh",
        formula="min(max(x, min_val), max_val)",
    ),
)
def hardtanh(xp: Backend, x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Bring x into ``[min_val, max_val]``; the derivative is 0 at the bounds (1 for `clamp`).

    Raises
    ------
    ValueError
        ``min_val`` exceeds ``max_val``.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hardtanh(mg.tensor([-2.0, 0.5, 3.0]))
    tensor([-1. ,  0.5,  1. ])
    """
    if min_val > max_val:
        raise ValueError(f"min_val={min_val} exceeds max_val={max_val}; exchange them")
    if x.dtype.kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return x.clip(min_val, max_val)


@op(
    cast="float",
    x=lambda g, y: g * ((y > 0) & (y < 1)) / 6,
    facts=Facts(
        lambda x: np.clip(x + 3, 0, 6) / 6,
        (*ELEMENTWISE_1, at([-3.0, 3.0], slopes=([0, 0],))),
        domain=(-5.0, 5.0),
        kinks=(-3, 3),
        convention="0 at -3 and at 3",
        torch="nn.functional.hardsigmoid",
        formula="min(max(x + 3, 0), 6) / 6",
    ),
)
@_in_float32
def hardsigmoid(xp: Backend, x: Array) -> Array:
    """Sigmoid of three straight lines, ``relu6(x + 3) / 6``; its derivative at -3 and 3 is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hardsigmoid(mg.tensor([-4.0, 0.0, 1.5]))
    tensor([0.  , 0.5 , 0.75])
    """
    return (x + 3).clip(0, 6) / 6


@op(
    cast="float",
    x=lambda g, x: g * ((clamp(x, -3, 3) / 3 + 0.5) * ((x > -3) & (x < 3)) + (x >= 3)),
    facts=Facts(
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        (*ELEMENTWISE_1, at([-3.0, 3.0, 3.5], slopes=([0, 1, 1],))),
        domain=(-5.0, 5.0),
        kinks=(-3, 3),
        convention="0 at -3 and 1 at 3",
        torch="nn.functional.hardswish",
        formula="x min(max(x + 3, 0), 6) / 6",
    ),
)
@_in_float32
def hardswish(xp: Backend, x: Array) -> Array:
    """Silu without an exponential, ``x relu6(x + 3) / 6``; its derivative is 0 at -3 and 1 at 3.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.hardswish(mg.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.       ,  0.66667,  4.       ])
    """
    return xp.quietly(_hardswish, xp, x)


def _hardswish(xp: Any, x: Any) -> Any:
    return x * ((x + 3).clip(0, 6) / 6)
