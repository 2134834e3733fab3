"""Losses for class labels: `nll_loss` and `cross_entropy`, over the class axis (axis 1).

The kernels work on rows, one for each label, with the classes last. Labels are looked at once: one
that is out of range, or of the wrong shape or dtype, is an error that says what would be right.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.backend import Array, Backend, backend_of, is_array
from minigrad.engine.facts import Facts, S, integers
from minigrad.engine.op import fused
from minigrad.engine.structural import cast
from minigrad.engine.tensor import Tensor
from minigrad.ops.compare import where
from minigrad.ops.gpu import Scores, label_losses
from minigrad.ops.index import gather
from minigrad.ops.kernels import row_max, row_sums, wide
from minigrad.ops.losses import check_reduction, reduce_losses
from minigrad.ops.reduce import log_softmax, sum

__all__ = ["cross_entropy", "nll_loss"]

IndexArray = Any  # labels and class weights: never cast, without a gradient


def _rows(xp: Any, x: Any) -> Any:
    """Bring ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)`` to one contiguous row for each label."""
    if x.ndim > 2:
        x = xp.moveaxis(x, 1, -1)
    return xp.ascontiguousarray(wide(x)).reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _unrows(rows: Any, shape: tuple[int, ...]) -> Any:
    """Undo `_rows`."""
    if len(shape) <= 2:
        return rows.reshape(shape)
    xp = backend_of(rows)
    return xp.moveaxis(rows.reshape((shape[0], *shape[2:], shape[1])), -1, 1)


def _check_classes(x: Any, target: Any, weight: Any) -> None:
    """Refuse targets and class weights that do not fit the input, saying what would."""
    if not is_array(target):
        raise TypeError(f"the target must be a tensor, not {target!r:.60}: mg.tensor(labels)")
    if x.ndim == 0 or x.dtype.kind != "f":
        raise TypeError(
            f"the input is {x.dtype}{list(x.shape)}; it must be floating, with one score for each "
            "class: (N, C), (N, C, d1, ...) or (C,)"
        )
    expected = x.shape[:1] * (x.ndim > 1) + x.shape[2:]
    shape, kind = target.shape, target.dtype.kind
    if kind in "iu" and shape != expected:
        text = (
            f"the input has shape {list(x.shape)}, so the class labels must have shape "
            f"{list(expected)}, not {list(shape)}"
        )
        if shape == x.shape:
            text += (
                f"; they look one-hot: give class numbers, target.argmax({min(1, x.ndim - 1)}), "
                "or probabilities, target.float()"
            )
        elif math.prod(shape) == math.prod(expected):
            text += f"; use target.reshape({list(expected)})"
        elif len(shape) == len(expected) == 1:
            text += "; if the model got as many examples as there are labels, it changed their "
            text += "number: keep the first axis, flatten(1) in place of reshape(-1, n)"
        raise ValueError(text)
    if kind == "f" and shape != x.shape:
        raise TypeError(
            f"the target is {target.dtype}{list(shape)}: class labels must be ints of shape "
            f"{list(expected)} (target.long()), class probabilities floats of the input's shape "
            f"{list(x.shape)}"
        )
    if kind == "b":
        raise TypeError("the target is bool; for two classes use ints, target.long()")
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    if weight is not None and weight.shape != (classes,):
        raise ValueError(
            f"the class weights have shape {list(weight.shape)}; {classes} classes need [{classes}]"
        )


def _labels(
    xp: Any, target: Any, classes: int, weight: Any, ignore_index: int, dtype: Any
) -> tuple[Any, Any, Any]:
    """Return ``labels, valid, share``: flat labels, which ones count, and each one's weight.

    None for the last two means all, and 1. An ignored label comes out as class 0 of weight 0.
    """
    labels = target.reshape(-1).astype(xp.int64, copy=False)
    valid = share = None
    if 0 <= ignore_index < classes or not xp.in_range(labels, 0, classes):
        valid = labels != ignore_index
        _check_labels(labels[valid], classes, ignore_index)
        labels = labels * valid
        share = valid.astype(dtype)
    if weight is not None:
        picked = weight.astype(dtype, copy=False)[labels]
        share = picked if share is None else picked * share
    return labels, valid, share


def _check_labels(used: Any, classes: int, ignore_index: int) -> None:
    """Raise `IndexError` if a label that counts is out of range."""
    if used.size and (int(used.min()) < 0 or int(used.max()) >= classes):
        low, high = int(used.min()), int(used.max())
        text = f"labels go from {low} to {high}, the input has {classes} classes, "
        text += f"so they must be from 0 to {classes - 1}"
        if low >= 1 and high == classes:
            text += "; if they count from 1, subtract 1: target - 1"
        elif low < 0 and high < classes:
            text += f"; a label to leave out must be ignore_index={ignore_index}"
        raise IndexError(text)


def _divisor(xp: Any, count: int, share: Any) -> tuple[Any, Any]:
    """Return what a mean divides by, and what it adds: NaN if nothing counts, else 0 or None.

    So a mean over no label is NaN, as it should be, but its gradient is 0 (as in torch).
    """
    if share is None:
        return (count, None) if count else (1, math.nan)
    total = share.sum()
    nothing = total == 0
    return total + nothing, xp.where(nothing, math.nan, 0.0).astype(share.dtype)


def _plus(loss: Any, blank: Any) -> Any:
    return loss if blank is None else loss + blank


def _places(xp: Any, labels: Any, classes: int) -> Any:
    """Return where each label's score lies in the rows of scores, made flat."""
    return labels + xp.arange(0, labels.size * classes, classes)


def _raw(x: Any) -> Any:
    return x._array if isinstance(x, Tensor) else x


def _nll_loss(
    x: Any, target: Any, weight: Any, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Return ``-x[target]``, weighted and reduced: what `nll_loss` means."""
    xp, dim = backend_of(_raw(x)), min(1, x.ndim - 1)
    classes = x.shape[dim]
    labels, valid, share = _labels(xp, _raw(target), classes, _raw(weight), ignore_index, x.dtype)
    one_class = tuple(1 if i == dim else n for i, n in enumerate(x.shape))
    losses = -gather(x, dim, labels.reshape(one_class)).reshape(tuple(target.shape))
    if share is not None:
        losses = losses * share.reshape(target.shape)
    if valid is not None:
        losses = where(valid.reshape(target.shape), losses, 0.0)
    if reduction == "mean":
        divisor, blank = _divisor(xp, labels.size, share)
        return _plus(sum(losses) / divisor, blank)
    return reduce_losses(losses, reduction)


def _nll_loss_x(g: Any, aux: Any, reduction: str, x_shape: tuple[int, ...]) -> Any:
    labels, share, divisor, dtype = aux
    xp = backend_of(g)
    g = g.reshape(-1).astype(dtype, copy=False)
    if reduction == "mean":
        g = g / divisor
    classes = x_shape[min(1, len(x_shape) - 1)]
    gx = xp.zeros((labels.size, classes), dtype)
    gx.reshape(-1)[_places(xp, labels, classes)] = -g if share is None else -g * share
    return _unrows(gx, x_shape)


def _np_log_softmax(x: Any) -> Any:
    dim = min(1, x.ndim - 1)
    return x - np.logaddexp.reduce(x, axis=dim, keepdims=True)


def _np_cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    logs: Any = _np_log_softmax,
) -> Any:
    """Compute the loss one example at a time: the facts' reference."""
    logp = np.moveaxis(logs(x) if x.ndim > 1 else logs(x)[None], 1, -1)
    classes = logp.shape[-1]
    w = np.ones(classes) if weight is None else weight
    by_label = target.dtype.kind in "iu"
    goals = target if by_label else np.moveaxis(target if x.ndim > 1 else target[None], 1, -1)
    losses, total = np.zeros(logp.shape[:-1]), 0.0
    for at in np.ndindex(losses.shape):
        goal = goals[at if x.ndim > 1 or not by_label else ()]
        if by_label and goal == ignore_index:
            continue
        goal = np.eye(classes)[goal] if by_label else goal
        total += goal @ w if by_label else 1.0
        goal = (1 - label_smoothing) * goal + label_smoothing / classes
        losses[at] = -(goal * w) @ logp[at]
    if reduction == "none":
        return losses if x.ndim > 1 else losses[0]
    return losses.sum() / (total if reduction == "mean" else 1.0)


# Against its meaning, forward + backward: 2.7x at 32x3, 2.6x at 1024x10, 2.1x at 256x1000
@fused(
    _nll_loss,
    aux=True,
    x=_nll_loss_x,
    facts=Facts(
        lambda x, target, weight=None, **options: _np_cross_entropy(
            x, target, weight, **options, logs=lambda x: x
        ),
        [
            S((3, 4), integers((3,), 0, 4), None),
            S((3, 4), integers((3,), 0, 4), None, reduction="sum"),
            S((3, 4), integers((3,), 0, 4), lambda rng: rng.random(4), reduction="none"),
            S((5, 3), integers((5,), 0, 3), lambda rng: rng.random(3) + 0.1, ignore_index=1),
            S((2, 3, 4), integers((2, 4), 0, 3), None),
            S((2, 3, 2, 2), integers((2, 2, 2), 0, 3), None, reduction="none"),
            S((4,), integers((), 0, 4), None),
            S((6, 3), lambda rng: np.array([0, -100, 2, 1, -100, 0]), None),
        ],
        torch="nn.functional.nll_loss",
        formula="-x[n, target[n]]",
    ),
)
def nll_loss(
    xp: Backend,
    x: Array,
    target: IndexArray,
    weight: IndexArray | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> tuple[Array, Any]:
    """Negative log likelihood: minus the log probability that x gives to each label.

    Parameters
    ----------
    x : Tensor
        Log probabilities, ``(N, C)``, ``(N, C, d1, ...)`` or ``(C,)``.
    target : int Tensor
        Labels from 0 to C - 1, of x's shape without the class axis.
    weight : Tensor, optional
        A weight for each class, ``(C,)``; "mean" then divides by the sum of the labels' weights.
    ignore_index : int
        A label that counts for nothing.
    reduction : {"mean", "sum", "none"}
        What to do with the N losses.

    Raises
    ------
    IndexError
        A label is out of range.
    ValueError, TypeError
        Shapes or dtypes do not fit; the text says which would.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nll_loss(mg.tensor([[-0.25, -2.0], [-3.0, -0.5]]), mg.tensor([0, 1]))
    tensor(0.375)
    """
    check_reduction(reduction)
    _check_classes(x, target, weight)
    if target.dtype.kind == "f":
        raise TypeError("nll_loss takes class labels only; cross_entropy takes probabilities too")
    rows = _rows(xp, x)
    count, classes = rows.shape
    labels, valid, share = _labels(xp, target, classes, weight, ignore_index, rows.dtype)
    divisor, blank = _divisor(xp, count, share) if reduction == "mean" else (1, None)
    losses = -rows.reshape(-1)[_places(xp, labels, classes)]
    if share is not None:
        losses = losses * share if valid is None else xp.where(valid, losses * share, 0)
    aux = labels, share, divisor, rows.dtype
    if reduction == "none":
        return losses.reshape(target.shape).astype(x.dtype, copy=False), aux
    loss = _plus(losses.sum() / divisor, blank)
    return (loss if loss.dtype == x.dtype else loss.astype(x.dtype)), aux


def _cross_entropy(
    x: Any,
    target: Any,
    weight: Any,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return minus the expected log softmax under the target: what `cross_entropy` means."""
    xp, dim = backend_of(_raw(x)), min(1, x.ndim - 1)
    classes = x.shape[dim]
    logp = log_softmax(x, dim)
    by_class = tuple(classes if i == dim else 1 for i in range(x.ndim))
    w = 1.0 if weight is None else cast(weight, x.dtype).reshape(by_class)
    if target.dtype.kind == "f":
        goal = cast(target, x.dtype) * (1 - label_smoothing) + label_smoothing / classes
        losses = -sum(goal * w * logp, dim)
        count = math.prod(losses.shape)
        if reduction == "mean":
            return sum(losses) / max(count, 1) + (0.0 if count else math.nan)
        return reduce_losses(losses, reduction)
    losses = nll_loss(logp, target, weight, ignore_index, reduction)
    if label_smoothing == 0:
        return losses
    _, valid, share = _labels(xp, _raw(target), classes, _raw(weight), ignore_index, x.dtype)
    smooth = -sum(w * logp, dim)
    if valid is not None:
        smooth = where(valid.reshape(target.shape), smooth, 0.0)
    if reduction == "mean":
        smooth = sum(smooth) / _divisor(xp, math.prod(target.shape), share)[0]
    else:
        smooth = reduce_losses(smooth, reduction)
    return losses * (1 - label_smoothing) + smooth * (label_smoothing / classes)


def _by_kernel(
    xp: Any, x: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> tuple[Any, Any]:
    """Return the loss and what backward needs, by the kernels of a GPU."""
    rows = xp.ascontiguousarray(xp.moveaxis(x, 1, -1) if x.ndim > 2 else x)
    rows = rows.reshape((math.prod(rows.shape[:-1]), rows.shape[-1]))
    classes, dtype = rows.shape[1], x.dtype
    if not xp.in_range(target, 0, classes, ignore_index):
        _check_labels(target[target != ignore_index], classes, ignore_index)
    loss, aux = label_losses(xp, rows, target, weight, ignore_index, smoothing, reduction)
    return loss.reshape(target.shape if reduction == "none" else ()).astype(dtype, copy=False), aux


def _cross_entropy_x(g: Any, aux: Any, reduction: str, x_shape: tuple[int, ...]) -> Any:
    """Return softmax minus target, each row scaled: in rows, then back to x's shape."""
    if type(aux) is Scores:
        return _unrows(aux.slope(g), x_shape)
    e, total, places, share, goal, divisor = aux
    g = g.reshape(-1).astype(e.dtype, copy=False)
    if reduction == "mean":
        g = g / divisor
    if goal is not None:
        return _unrows((e * (share / total)[:, None] - goal) * g[:, None], x_shape)
    if share is not None:
        g = g * share
    gx = e * (g / total)[:, None]
    gx.reshape(-1)[places] -= g
    return _unrows(gx, x_shape)


def _cross_entropy_target(
    g: Any, x: Any, weight: Any, aux: Any, reduction: str, label_smoothing: float
) -> Any:
    dim = min(1, x.ndim - 1)
    g = g / aux[-1] if reduction == "mean" else g
    if reduction == "none":
        g = backend_of(g).expand_dims(g, dim)
    logp = log_softmax(wide(x), dim) * ((label_smoothing - 1) * g)
    return logp if weight is None else logp * weight.reshape((-1,) + (1,) * (x.ndim - dim - 1))


def _probabilities(*shape: int) -> Any:
    """Return a maker of class probabilities for a `Sample`, with the classes on axis 1."""
    rows = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
    return lambda rng: np.moveaxis(
        rng.dirichlet(np.ones(shape[1] if rows else shape[0]), rows), -1, 1 if rows else 0
    )


def _weights(classes: int) -> Any:
    """Return a maker of class weights for a `Sample`."""
    return lambda rng: rng.random(classes) + 0.1


# Against its meaning, forward + backward: 1.3x at 32x3, 2.1x at 1024x10, 1.9x at 256x1000
@fused(
    _cross_entropy,
    aux=True,
    x=_cross_entropy_x,
    target=_cross_entropy_target,
    facts=Facts(
        _np_cross_entropy,
        [
            S((3, 4), integers((3,), 0, 4), None),
            S((3, 4), integers((3,), 0, 4), None, reduction="sum"),
            S((3, 4), integers((3,), 0, 4), None, reduction="none"),
            S((3, 4), integers((3,), 0, 4), _weights(4)),
            S((5, 3), integers((5,), 0, 3), _weights(3), ignore_index=1, reduction="none"),
            S((6, 3), lambda rng: np.array([0, -100, 2, 1, -100, 0]), None),
            S((6, 3), lambda rng: np.array([0, 7, 2, 1, 7, 0]), _weights(3), ignore_index=7),
            S((3, 4), integers((3,), 0, 4), None, label_smoothing=0.1),
            S((5, 3), integers((5,), 0, 3), _weights(3), ignore_index=1, label_smoothing=0.2),
            S((5, 3), integers((5,), 0, 3), None, label_smoothing=0.2, reduction="none"),
            S((2, 3, 4), integers((2, 4), 0, 3), None),
            S((2, 3, 2, 2), integers((2, 2, 2), 0, 3), _weights(3), reduction="none"),
            S((4,), integers((), 0, 4), None),
            S((4,), integers((), 0, 4), _weights(4), reduction="none"),
            S((3, 1), integers((3,), 0, 1), None),
            S((3, 4), _probabilities(3, 4), None),
            S((3, 4), _probabilities(3, 4), _weights(4), reduction="sum", label_smoothing=0.1),
            S((2, 3, 4), _probabilities(2, 3, 4), None, reduction="none"),
            S((4,), _probabilities(4), None),
            S((2, 3, 4), _probabilities(2, 3, 4), _weights(3)),
        ],
        torch="nn.functional.cross_entropy",
        formula="log(sum over c of e^x[n, c]) - x[n, target[n]]",
    ),
)
def cross_entropy(
    xp: Backend,
    x: Array,
    target: Array,
    weight: IndexArray | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> tuple[Array, Any]:
    """Cross-entropy of the softmax of scores: minus the log probability of the right class.

    Parameters
    ----------
    x : Tensor
        Scores before any softmax, ``(N, C)``, ``(N, C, d1, ...)`` or ``(C,)``.
    target : Tensor
        Class labels: ints from 0 to C - 1, of x's shape without the class axis. Or class
        probabilities: floats of x's shape.
    weight : Tensor, optional
        A weight for each class, ``(C,)``; with labels, "mean" divides by the sum of their weights.
    ignore_index : int
        A label that counts for nothing.
    reduction : {"mean", "sum", "none"}
        What to do with the N losses.
    label_smoothing : float
        This share of each target is spread evenly over all classes.

    Raises
    ------
    IndexError
        A label is out of range.
    ValueError, TypeError
        Shapes or dtypes do not fit; the text says which would.

    Notes
    -----
    The mean over no label at all is NaN, with a gradient of 0. The gradient with respect to x is
    softmax(x) minus the target, divided by N.

    Examples
    --------
    >>> import minigrad as mg
    >>> scores = mg.tensor([[1e4, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> mg.cross_entropy(scores, mg.tensor([0, 2]), reduction="none")
    tensor([0.       , 1.0986123])
    """
    check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing={label_smoothing} must be from 0 to 1")
    _check_classes(x, target, weight)
    if xp.kernels is not None and target.dtype.kind != "f" and x.size:
        return _by_kernel(xp, x, target, weight, ignore_index, reduction, label_smoothing)
    z = _rows(xp, x)
    count, classes = z.shape
    with xp.errstate(invalid="ignore"):  # a row of -inf gives NaN
        z = z - row_max(xp, z)
    e = xp.exp(z)
    total = row_sums(xp, e)[:, 0]
    places, valid, share, goal = None, None, None, None
    w = 1.0 if weight is None else weight.astype(e.dtype, copy=False)
    if target.dtype.kind == "f":
        goal = _rows(xp, target).astype(e.dtype, copy=False)
        goal = (goal * (1 - label_smoothing) + label_smoothing / classes) * w
    else:
        labels, valid, share = _labels(xp, target, classes, weight, ignore_index, e.dtype)
        places = _places(xp, labels, classes)
        if label_smoothing:
            goal = xp.zeros(z.shape, e.dtype)
            goal += w * (label_smoothing / classes)
            goal.reshape(-1)[places] += (1 - label_smoothing) * (1.0 if share is None else share)
            if valid is not None:
                goal *= valid[:, None]
    divisor, blank = _divisor(xp, count, share) if reduction == "mean" else (1, None)
    if goal is None:
        losses = xp.log(total) - z.reshape(-1)[places]
        if share is not None:
            losses *= share
    else:
        share = goal.sum(axis=1)
        losses = share * xp.log(total) - (goal * z).sum(axis=1)
    if valid is not None:
        losses = xp.where(valid, losses, 0)
    aux = e, total, places, share, goal, divisor
    if reduction == "none":
        shape = x.shape[:1] * (x.ndim > 1) + x.shape[2:]
        return losses.reshape(shape).astype(x.dtype, copy=False), aux
    loss = _plus(losses.sum() / divisor, blank)
    return (loss if loss.dtype == x.dtype else loss.astype(x.dtype)), aux
