"""Losses on numbers and probabilities: how far predictions are from targets.

Every loss takes ``reduction``: "mean", "sum" or "none". Input and target must agree in shape: what
broadcasting makes of (N,) and (N, 1) is the classic silent mistake, so it is refused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend
from minigrad.engine.dtypes import float32
from minigrad.engine.errors import show_line, user_line
from minigrad.engine.facts import Facts, S, at
from minigrad.engine.op import composite, fused, op
from minigrad.ops.activation import logsigmoid, sigmoid
from minigrad.ops.arithmetic import abs as absolute
from minigrad.ops.compare import clamp, where
from minigrad.ops.exponential import exp, log
from minigrad.ops.reduce import mean, sum

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "huber_loss", "kl_div", "l1_loss",
    "mse_loss", "smooth_l1_loss",
]  # fmt: skip

# ---- what all losses share ----------------------------------------------------------------------


def check_reduction(reduction: str, known: tuple[str, ...] = ("mean", "sum", "none")) -> None:
    if reduction not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"reduction={reduction!r} is not known; use one of {names}")


def _pair_text(x: tuple[int, ...], target: tuple[int, ...]) -> str | None:
    """Say what is wrong with the shapes of a prediction and its target, which must be equal."""
    if x == target:
        return None
    text = f"the input has shape {list(x)}, the target {list(target)}"
    try:
        both = np.broadcast_shapes(x, target)
    except ValueError:
        both = x
    if both not in (x, target):
        text += (
            f"; broadcasting to {list(both)} would compare inputs with targets of other examples"
        )
    for long, short, name in ((x, target, "input"), (target, x, "target")):
        if len(long) == len(short) + 1 and 1 in long:
            axes = [
                i for i, n in enumerate(long) if n == 1 and (*long[:i], *long[i + 1 :]) == short
            ]
            if axes:
                return f"{text}; drop the axis of size 1 first: {name}.squeeze({axes[-1]})"
    if math.prod(x) == math.prod(target):
        return f"{text}; bring the target to the input's shape first: target.reshape({list(x)})"
    return f"{text}; they must be equal"


def _pair_hint(shapes: list[tuple[int, ...]], options: dict[str, Any]) -> str | None:
    return _pair_text(*shapes[:2]) if len(shapes) > 1 else "input and target must both be tensors"


def _check_pair(name: str, x: Any, target: Any) -> None:
    if not (hasattr(x, "shape") and hasattr(target, "shape")):
        raise TypeError(
            f"{name}: input and target must both be tensors\n  at {show_line(user_line())}"
        )
    text = _pair_text(tuple(x.shape), tuple(target.shape))
    if text is not None:
        raise ValueError(f"{name}: {text}\n  at {show_line(user_line())}")


def reduce_losses(losses: Any, reduction: str) -> Any:
    """Reduce as `reduction` says; in ops."""
    return losses if reduction == "none" else (mean if reduction == "mean" else sum)(losses)


def _np_reduce(losses: Any, reduction: str) -> Any:
    """Reduce as `reduction` says; for the facts' references."""
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


# ---- regression ---------------------------------------------------------------------------------

_PAIRS = (
    S((3, 4), (3, 4)),
    S((3, 4), (3, 4), reduction="sum"),
    S((3, 4), (3, 4), reduction="none"),
    S((5,), (5,)),
    S((), ()),
    S((0, 3), (0, 3), reduction="sum"),
)


def _mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the reduced ``(x - target)^2``: what `mse_loss` means."""
    d = x - target
    return reduce_losses(d * d, reduction)


def _mse_loss_x(g: Any, aux: Any, reduction: str) -> Any:
    return aux * (g * (2 / max(aux.size, 1) if reduction == "mean" else 2))


# Against its meaning, forward + backward: 1.8x at 32x1, 2x at 64x784
@fused(
    _mse_loss,
    aux=True,
    cast="float",
    x=_mse_loss_x,
    target=lambda g, aux, reduction: -_mse_loss_x(g, aux, reduction),
    hint=_pair_hint,
    facts=Facts(
        lambda x, target, reduction="mean": _np_reduce((x - target) ** 2, reduction),
        _PAIRS,
        torch="nn.functional.mse_loss",
        formula="(x - target)^2",
    ),
)
def mse_loss(xp: Backend, x: Array, target: Array, reduction: str = "mean") -> tuple[Array, Array]:
    """Squared error ``(x - target)^2``, without a factor 1/2.

    Raises
    ------
    ValueError
        The shapes differ, or ``reduction`` is not "mean", "sum" or "none".

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.mse_loss(mg.tensor([1.0, 2.0]), mg.tensor([0.0, 4.0]))
    tensor(2.5)
    """
    check_reduction(reduction)
    if x.shape != target.shape:
        raise ValueError
    d = x - target
    if reduction == "none":
        return d * d, d
    if d.dtype.itemsize == 2:
        total = xp.square(d.astype(float32)).sum()
    else:
        flat = d.reshape(-1)
        total = flat @ flat
    if reduction == "mean":
        total = total / d.size if d.size else total * math.nan
    return total.astype(d.dtype), d


@composite(
    facts=Facts(
        lambda x, target, reduction="mean": _np_reduce(np.abs(x - target), reduction),
        _PAIRS,
        torch="nn.functional.l1_loss",
        formula="|x - target|",
        convention="0 where x equals the target",
    )
)
def l1_loss(x: Array, target: Array, reduction: str = "mean") -> Array:
    """Absolute error ``|x - target|``; its derivative at equality is 0.

    Raises
    ------
    ValueError
        The shapes differ, or ``reduction`` is not "mean", "sum" or "none".

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.l1_loss(mg.tensor([1.0, 2.0]), mg.tensor([0.0, 4.0]))
    tensor(1.5)
    """
    check_reduction(reduction)
    _check_pair("l1_loss", x, target)
    return reduce_losses(absolute(x - target), reduction)


def _np_huber(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    d = np.abs(x - target)
    return _np_reduce(np.where(d < delta, d * d / 2, delta * (d - delta / 2)), reduction)


@op(
    cast="float",
    x=lambda g, x, target, delta: g * clamp(x - target, -delta, delta),
    target=lambda g, x, target, delta: g * clamp(target - x, -delta, delta),
    facts=Facts(
        lambda x, target, delta: _np_huber(x, target, "none", delta),
        [S((3, 4), (3, 4), delta=0.7), S((), (), delta=1.0)],
        torch="",
    ),
)
def huber(xp: Backend, x: Array, target: Array, delta: float) -> Array:
    """Return ``d^2 / 2`` for ``d = x - target`` within delta, else ``delta (|d| - delta / 2)``.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.losses import huber
    >>> huber(mg.tensor([0.5, 3.0]), mg.zeros(2), 1.0)
    tensor([0.125, 2.5  ])
    """
    distance = abs(x - target)
    near = xp.minimum(distance, delta)
    return near * (distance - near * 0.5)


@composite(
    facts=Facts(
        _np_huber,
        (*_PAIRS, S((3, 4), (3, 4), delta=0.3), S((3, 4), (3, 4), delta=5.0, reduction="none")),
        torch="nn.functional.huber_loss",
        formula="d^2 / 2 if |d| <= delta else delta (|d| - delta / 2), d = x - target",
    )
)
def huber_loss(x: Array, target: Array, reduction: str = "mean", delta: float = 1.0) -> Array:
    """Huber loss: squared (halved) near the target, linear beyond ``delta``; smooth at the seam.

    Raises
    ------
    ValueError
        The shapes differ, ``delta`` is not positive, or ``reduction`` is unknown.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Statist. 35 (1964).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.huber_loss(mg.tensor([1.0, 2.0]), mg.tensor([0.5, 4.0]), reduction="none")
    tensor([0.125, 1.5  ])
    """
    check_reduction(reduction)
    _check_pair("huber_loss", x, target)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta={delta} must be positive")
    return reduce_losses(huber(x, target, delta), reduction)


@composite(
    facts=Facts(
        lambda x, target, reduction="mean", beta=1.0: (
            _np_huber(x, target, reduction, beta) / beta
            if beta
            else _np_reduce(np.abs(x - target), reduction)
        ),
        (*_PAIRS, S((3, 4), (3, 4), beta=0.3), S((3, 4), (3, 4), beta=0.0, reduction="none")),
        torch="nn.functional.smooth_l1_loss",
        formula="d^2 / (2 beta) if |d| < beta else |d| - beta / 2, d = x - target",
    )
)
def smooth_l1_loss(x: Array, target: Array, reduction: str = "mean", beta: float = 1.0) -> Array:
    """Absolute error, rounded off within ``beta`` of the target: `huber_loss` over ``beta``.

    Raises
    ------
    ValueError
        The shapes differ, ``beta`` is negative, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.smooth_l1_loss(mg.tensor([1.0, 2.0]), mg.tensor([0.5, 4.0]), reduction="none")
    tensor([0.125, 1.5  ])
    """
    check_reduction(reduction)
    _check_pair("smooth_l1_loss", x, target)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta={beta} must not be negative")
    losses = huber(x, target, beta) / beta if beta else absolute(x - target)
    return reduce_losses(losses, reduction)


# ---- probabilities ------------------------------------------------------------------------------


def _log_from(x: Any, low: float = -100.0) -> Any:
    """Return log x, or ``low`` where that is greater (log 0 = -inf would spoil every mean)."""
    return clamp(log(x), min=low)


@op(
    cast="float",
    x=lambda g, x, target: g * (x - target) / clamp(x * (1 - x), min=1e-12),
    target=lambda g, x: g * (_log_from(1 - x) - _log_from(x)),
    facts=Facts(
        lambda x, target: (
            -(target * np.maximum(np.log(x), -100) + (1 - target) * np.maximum(np.log(1 - x), -100))
        ),
        [
            S((3, 4), (3, 4)),
            S((), ()),
            at([0.0, 1.0], [1.0, 0.0], slopes=([-1e12, 1e12], [100, -100])),
        ],
        domain=((0.05, 0.95), (0.0, 1.0)),
        torch="",
    ),
)
def bernoulli_loss(xp: Backend, x: Array, target: Array) -> Array:
    """Return ``-(target log x + (1 - target) log(1 - x))``, logarithms cut off at -100.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.losses import bernoulli_loss
    >>> bernoulli_loss(mg.tensor([0.5, 0.0]), mg.ones(2))
    tensor([  0.6931472, 100.       ])
    """
    for name, values in (("input", x), ("target", target)):
        if not bool(((values >= 0) & (values <= 1)).all()):
            text = f"the {name} goes from {float(values.min()):.4g} to {float(values.max()):.4g}, "
            text += "it must be from 0 to 1"
            if name == "input":
                text += "; for scores use binary_cross_entropy_with_logits, or take sigmoid first"
            raise ValueError(text)
    with xp.errstate(divide="ignore"):
        one = xp.maximum(xp.log(x), -100.0)
        zero = xp.maximum(xp.log1p(-x), -100.0)
    return -(target * one + (1 - target) * zero)


def _np_bce(x: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    losses = -(target * np.log(x) + (1 - target) * np.log(1 - x))
    return _np_reduce(losses if weight is None else losses * weight, reduction)


@composite(
    facts=Facts(
        _np_bce,
        [
            S((3, 4), (3, 4), None),
            S((3, 4), (3, 4), None, reduction="sum"),
            S((3, 4), (3, 4), (4,), reduction="none"),
            S((5,), (5,), (5,)),
            S((), (), None),
            S((0, 3), (0, 3), None, reduction="sum"),
        ],
        domain=((0.05, 0.95), (0.0, 1.0), (0.1, 2.0)),
        torch="nn.functional.binary_cross_entropy",
        formula="-(target log x + (1 - target) log(1 - x))",
        convention="at x = 0 and 1 the derivative divides by 1e-12",
    )
)
def binary_cross_entropy(
    x: Array, target: Array, weight: Array | None = None, reduction: str = "mean"
) -> Array:
    """Cross-entropy of probabilities x of yes, against targets from 0 (no) to 1 (yes).

    Logarithms are cut off at -100, so that a certain and wrong x costs 100. On scores before a
    sigmoid use `binary_cross_entropy_with_logits`, which loses no precision.

    Raises
    ------
    ValueError
        The shapes differ, x or target is not from 0 to 1, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.binary_cross_entropy(mg.tensor([0.5, 1.0]), mg.tensor([1.0, 0.0]), reduction="none")
    tensor([  0.6931472, 100.       ])
    """
    check_reduction(reduction)
    _check_pair("binary_cross_entropy", x, target)
    losses = bernoulli_loss(x, target)
    return reduce_losses(losses if weight is None else losses * weight, reduction)


@op(
    cast="float",
    x=lambda g, x, target: g * (sigmoid(x) - target),
    target=lambda g, x: -(g * x),
    facts=Facts(
        lambda x, target: np.logaddexp(0, x) - x * target,
        [S((3, 4), (3, 4)), S((), ())],
        torch="",
    ),
)
def logistic_loss(xp: Backend, x: Array, target: Array) -> Array:
    """Return ``log(1 + e^x) - x target``, without overflow.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.ops.losses import logistic_loss
    >>> logistic_loss(mg.tensor([0.0, 100.0]), mg.zeros(2))
    tensor([  0.6931472, 100.       ])
    """
    return xp.maximum(x, 0) - x * target + xp.log1p(xp.exp(-abs(x)))


def _np_bce_with_logits(
    x: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    yes, no = np.logaddexp(0, -x), np.logaddexp(0, x)
    losses = (1 if pos_weight is None else pos_weight) * target * yes + (1 - target) * no
    return _np_reduce(losses if weight is None else losses * weight, reduction)


@composite(
    facts=Facts(
        _np_bce_with_logits,
        [
            S((3, 4), (3, 4), None, None),
            S((3, 4), (3, 4), None, None, reduction="sum"),
            S((3, 4), (3, 4), (4,), (4,), reduction="none"),
            S((5, 2), (5, 2), None, (2,)),
            S((), (), None, None),
            S((0, 3), (0, 3), None, None, reduction="sum"),
        ],
        domain=((-4.0, 4.0), (0.0, 1.0), (0.1, 2.0), (0.1, 3.0)),
        torch="nn.functional.binary_cross_entropy_with_logits",
        formula="log(1 + e^x) - x target",
    )
)
def binary_cross_entropy_with_logits(
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    pos_weight: Array | None = None,
) -> Array:
    """Cross-entropy of ``sigmoid(x)`` against targets from 0 to 1, right for any score x.

    ``pos_weight`` multiplies the part of the positive targets, ``weight`` the whole; both
    broadcast to x's shape.

    Raises
    ------
    ValueError
        The shapes differ, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> scores = mg.tensor([1e4, -1e4])
    >>> mg.binary_cross_entropy_with_logits(scores, mg.ones(2), reduction="none")
    tensor([    0., 10000.])
    """
    check_reduction(reduction)
    _check_pair("binary_cross_entropy_with_logits", x, target)
    if pos_weight is None:
        losses = logistic_loss(x, target)
    else:
        losses = -(pos_weight * target * logsigmoid(x) + (1 - target) * logsigmoid(-x))
    return reduce_losses(losses if weight is None else losses * weight, reduction)


def _np_kl_div(x: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    p, logp = (np.exp(target), target) if log_target else (target, np.log(target))
    losses = p * (logp - x)
    return losses.sum() / len(x) if reduction == "batchmean" else _np_reduce(losses, reduction)


@composite(
    facts=Facts(
        _np_kl_div,
        [
            S((3, 4), (3, 4)),
            S((3, 4), (3, 4), reduction="batchmean"),
            S((3, 4), (3, 4), reduction="sum", log_target=True),
            S((3, 4), (3, 4), reduction="none"),
            S((5,), (5,), log_target=True),
        ],
        domain=((-3.0, 0.0), (0.1, 0.9)),
        torch="nn.functional.kl_div",
        formula="p (log p - x), p = target, or e^target if log_target",
    )
)
def kl_div(x: Array, target: Array, reduction: str = "mean", log_target: bool = False) -> Array:
    """Kullback-Leibler divergence of a distribution from the one whose log probabilities x are.

    Elementwise ``p (log p - x)``, 0 where p is 0. Only ``reduction="batchmean"``, the sum over
    the number of rows, is the divergence of its mathematical definition; "mean", the default,
    divides by the number of elements.

    Raises
    ------
    ValueError
        The shapes differ, or ``reduction`` is unknown.

    Examples
    --------
    >>> import minigrad as mg
    >>> p, q = mg.tensor([[0.5, 0.5]]), mg.tensor([[0.25, 0.75]])
    >>> mg.kl_div(q.log(), p, reduction="batchmean")
    tensor(0.143841)
    """
    check_reduction(reduction, ("batchmean", "mean", "sum", "none"))
    _check_pair("kl_div", x, target)
    if log_target:
        losses = exp(target) * (target - x)
    else:
        positive = where(target > 0, target, 1.0)  # the limit of p log p at 0 is 0
        losses = target * (log(positive) - x)
    if reduction == "batchmean":
        return sum(losses) / x.shape[0]
    return reduce_losses(losses, reduction)
