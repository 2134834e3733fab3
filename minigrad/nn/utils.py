"""Clipping gradients, by their norm and by value, under the names of ``torch.nn.utils``.

All of it is here. The gradients are changed in place, between ``backward()`` and the optimiser's
``step()``; a norm is one product for each gradient, whatever its memory order.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

from minigrad.backend import NUMPY, Array, backend_of, to_device
from minigrad.engine.mutation import changed
from minigrad.engine.recording import replayed
from minigrad.engine.tensor import Tensor, wrap

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


@replayed
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients, in place, so that their norm together is at most ``max_norm``.

    With n the norm of all elements of all gradients::

        g <- g * min(1, max_norm / (n + 1e-6))

    The direction of the step stays as it was.

    Parameters
    ----------
    parameters : iterable of Tensor, or Tensor
        Whose gradients; those that have none are left out.
    max_norm : float
        The largest norm.
    norm_type : float
        2, or any p above 0 for ``sum(|g|^p)^(1/p)``, or inf for the largest element.
    error_if_nonfinite : bool
        Raise if the norm is infinite or NaN, before anything is changed. Otherwise an infinite
        norm makes the gradients 0 or NaN, and NaN makes them all NaN.

    Returns
    -------
    Tensor
        The norm as it was.

    Raises
    ------
    ValueError
        ``max_norm`` is negative, or ``norm_type`` is not above 0.
    RuntimeError
        The norm is not finite, and ``error_if_nonfinite`` is set.

    Warns
    -----
    UserWarning
        There are no parameters: ``model.parameters()`` can be read only once.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.5, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()  # the gradient is [3, 4]
    >>> mg.nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(5.)
    >>> [round(g, 4) for g in w.grad.tolist()]
    [0.6, 0.8]
    """
    tensors = _listed(parameters, "clip_grad_norm_")
    total = get_total_norm(_grads(tensors), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(tensors, max_norm, total)
    return total


@replayed
def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Return the norm of all elements of all tensors together; see `clip_grad_norm_`.

    It is on the first tensor's device, and of the widest of their dtypes, at least float32. A sum
    that is too large for that dtype is formed again in float64.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.utils.get_total_norm([mg.tensor([3.0]), mg.tensor([[4.0, 12.0]])])
    tensor(13.)
    """
    p = float(norm_type)
    if not p > 0:
        raise ValueError(f"norm_type must be above 0 (inf: the largest element), not {norm_type!r}")
    arrays = [t._array for t in ([tensors] if isinstance(tensors, Tensor) else tensors)]
    if not arrays:
        return Tensor(0.0)
    xp = backend_of(arrays[0])
    device = xp.device_of(arrays[0])
    dtype = xp.result_type(*{a.dtype for a in arrays}, xp.float32)
    lines = [_line(a) for a in arrays if a.size]
    total = xp.quietly(_norm, lines, p, dtype, device)
    if error_if_nonfinite and not xp.isfinite(total):
        raise RuntimeError(
            f"the norm of the gradients is {float(total)}: a step with them would ruin the "
            "parameters. mg.detect_anomaly() names the op that made the first such value"
        )
    return wrap(xp.asarray(total), None)


@replayed
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor
) -> None:
    """Scale all gradients, in place, by ``min(1, max_norm / (total_norm + 1e-6))``.

    For a norm that is known already; `clip_grad_norm_` computes it.
    """
    if not float(max_norm) >= 0:
        raise ValueError(f"max_norm must be a number >= 0, not {max_norm!r}")
    norm = total_norm._array
    xp = backend_of(norm)
    factor = xp.asarray(xp.minimum(float(max_norm) / (norm + 1e-6), 1.0))
    if xp is NUMPY and factor >= 1:  # on a GPU, reading it costs more than multiplying
        return
    for grad in _grads(_listed(parameters, "clip_grads_with_norm_")):
        g = grad._array
        own = backend_of(g)
        own.quietly(own.multiply, g, to_device(factor, own.device_of(g)).astype(g.dtype), g)
        changed(g, "clip_grad_norm_")


@replayed
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every element of all gradients, in place, into -clip_value ... clip_value.

    Unlike `clip_grad_norm_` it changes the direction of the step.

    Parameters
    ----------
    parameters : iterable of Tensor, or Tensor
        Whose gradients; those that have none are left out.
    clip_value : float
        The largest magnitude.

    Raises
    ------
    ValueError
        ``clip_value`` is negative.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.5, -0.1], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> mg.nn.utils.clip_grad_value_([w], clip_value=1.0)
    >>> w.grad
    tensor([ 1. , -0.2])
    """
    largest = float(clip_value)
    if not largest >= 0:
        raise ValueError(f"clip_value must be a number >= 0, not {clip_value!r}")
    for grad in _grads(_listed(parameters, "clip_grad_value_")):
        g = grad._array
        xp = backend_of(g)
        xp.maximum(xp.minimum(g, largest, out=g), -largest, out=g)
        changed(g, "clip_grad_value_")


def _listed(parameters: Any, name: str) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        return [parameters]
    if not isinstance(parameters, Iterable):
        cure = ": pass model.parameters()" if callable(parameters) else ""
        raise TypeError(
            f"{name} takes a list of parameters, not a {type(parameters).__name__}{cure}"
        )
    listed = list(parameters)
    if not listed:
        warnings.warn(
            f"{name} got no parameters, so nothing was clipped: model.parameters() can be read "
            "only once; pass it anew, or keep list(model.parameters())",
            stacklevel=3,
        )
    return listed


def _grads(parameters: Iterable[Tensor]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


def _line(array: Array) -> Array:
    """Return all elements in a row, in any order, without a copy if there is such a view."""
    return (array.T if array.flags.f_contiguous else array).reshape(-1)


def _norm(lines: list[Array], p: float, dtype: Any, device: Any) -> Array:
    """Return the p-norm of all elements in a dtype; if it is not finite, compute it in float64."""
    if device.type == "cpu":
        total = _norm_in(dtype, lines, p, device)
        if dtype == "float64" or backend_of(total).isfinite(total):
            return total
    return _norm_in("float64", lines, p, device).astype(dtype)


def _norm_in(dtype: Any, lines: list[Array], p: float, device: Any) -> Array:
    total: Any = NUMPY.zeros((), dtype) if not lines else None
    for line in lines:
        xp = backend_of(line)
        part = to_device(_part(xp, line.astype(dtype, copy=False), p), device)
        if total is None:
            total = part
        else:
            total = backend_of(part).maximum(total, part) if math.isinf(p) else total + part
    if math.isinf(p) or not lines:
        return to_device(total, device)
    return backend_of(total).sqrt(total) if p == 2 else total ** (1 / p)


def _part(xp: Any, line: Array, p: float) -> Array:
    """Return the sum of the p-th powers of magnitudes, or the largest one."""
    if math.isinf(p):
        return xp.max(xp.absolute(line))
    if p == 2:
        return xp.dot(line, line)
    return xp.sum(xp.absolute(line) ** p)
