"""A whole update of parameters as one kernel: `minigrad.optim` says what is computed.

Each reads and writes every array once. Decay and the gradient's sign are part of it (see
`minigrad.optim.decay`): ``l2`` and ``l1`` are coupled to the gradient, or, with ``lr`` in them,
``shrink`` (a factor) and ``threshold`` apart from it.
"""

from __future__ import annotations

from typing import Any

import cupy as cp

# W is what is computed in: float for float16, else the arrays' own type.
WIDE = """
template <typename T> struct Wide { typedef T type; };
template <> struct Wide<float16> { typedef float type; };
"""

_DECAYED = """
    typedef typename Wide<T>::type W;
    W slope = (W)sign * (W)g, value = (W)p;
    if (l2 != 0) slope += (W)l2 * value;
    if (l1 != 0) slope += (W)l1 * (W)((value > 0) - (value < 0));
    value *= (W)shrink;
"""
_DECAY = "float64 sign, float64 l2, float64 l1, float64 shrink, float64 threshold"

# The soft threshold comes last: what is nearer to 0 than that becomes 0.
_STORED = """
    if (threshold != 0) {
        W edge = (W)threshold;
        value -= value < -edge ? -edge : (value > edge ? edge : value);
    }
    p = (T)value;
"""

_SGD = cp.ElementwiseKernel(
    f"T g, float64 lr, {_DECAY}", "T p", f"{_DECAYED} value -= (W)lr * slope; {_STORED}",
    "minigrad_sgd", preamble=WIDE,
)  # fmt: skip
_MOMENTUM = cp.ElementwiseKernel(
    f"T g, float64 lr, float64 keep, float64 fresh, bool first, bool nesterov, {_DECAY}",
    "T p, T b",
    f"""{_DECAYED}
    W kept = first ? slope : (W)keep * (W)b + (W)fresh * slope;
    b = (T)kept;
    value -= (W)lr * (nesterov ? slope + (W)keep * kept : kept);
    {_STORED}""",
    "minigrad_sgd_momentum",
    preamble=WIDE,
)

_ADAM = """
    W mean = (W)keep1 * (W)m + (W)fresh1 * slope;
    W square = (W)keep2 * (W)v + (W)fresh2 * (slope * slope);
    m = (T)mean;
    v = (T)square;
"""
_NUMBERS = "float64 size, float64 eps, float64 keep1, float64 fresh1, float64 keep2, float64 fresh2"
_ADAM_STEP = cp.ElementwiseKernel(
    f"T g, {_NUMBERS}, {_DECAY}",
    "T p, T m, T v",
    f"{_DECAYED} {_ADAM} value -= (W)size * (mean / (sqrt(square) + (W)eps)); {_STORED}",
    "minigrad_adam",
    preamble=WIDE,
)
_AMSGRAD_STEP = cp.ElementwiseKernel(
    f"T g, {_NUMBERS}, {_DECAY}",
    "T p, T m, T v, T largest",
    f"""{_DECAYED} {_ADAM}
    W most = (W)largest > square ? (W)largest : square;
    largest = (T)most;
    value -= (W)size * (mean / (sqrt(most) + (W)eps));
    {_STORED}""",
    "minigrad_amsgrad",
    preamble=WIDE,
)


def sgd(p: Any, g: Any, b: Any, numbers: tuple[Any, ...], first: bool, nesterov: bool) -> None:
    """Change p, and the momentum b unless it is None, as `minigrad.optim.SGD` does.

    The numbers are lr, the momentum, 1 - dampening, and the decay (see `decay.as_numbers`).
    """
    lr, momentum, undamped, *decay = numbers
    if b is None:
        _SGD(g, lr, *decay, p)
    else:
        _MOMENTUM(g, lr, momentum, undamped, first, nesterov, *decay, p, b)


def adam(p: Any, g: Any, numbers: tuple[Any, ...], m: Any, v: Any, largest: Any = None) -> None:
    """Change p and its means m and v (and the largest v) as `minigrad.optim.Adam` does.

    The numbers are the step's size, eps, each beta and what it leaves, and the decay.
    """
    if largest is None:
        _ADAM_STEP(g, *numbers, p, m, v)
    else:
        _AMSGRAD_STEP(g, *numbers, p, m, v, largest)
