"""Gradients of given outputs by given inputs, under the names of ``torch.autograd``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.backward import backward as _backward
from minigrad.engine.backward import gradients
from minigrad.engine.errors import GraphError
from minigrad.engine.modes import detect_anomaly, enable_grad, no_grad, set_grad_enabled
from minigrad.engine.tensor import Tensor
from minigrad.engine.transforms import hessian, jacobian

__all__ = [
    "backward", "detect_anomaly", "enable_grad", "grad", "hessian", "jacobian", "no_grad",
    "set_grad_enabled",
]  # fmt: skip


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of (the sum of) outputs by each input, leaving ``.grad`` alone.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
        What to differentiate, and by what; inputs may be leaves or computed tensors.
    grad_outputs : Tensor or sequence, optional
        The cotangent of each output; may be left out for outputs of one element.
    retain_graph : bool, optional
        Keep the graph for another backward; default ``create_graph``.
    create_graph : bool
        Record the gradients, so that they can be differentiated again.
    allow_unused : bool
        Return None for an input that the outputs do not depend on, instead of raising.

    Raises
    ------
    GraphError
        An input is not part of the graph (see ``allow_unused``), or the graph was freed.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (g,) = mg.autograd.grad((x**3).sum(), x, create_graph=True)
    >>> mg.autograd.grad(g.sum(), x)
    (tensor([ 6., 12.]),)
    """
    ends, starts = _listed(outputs), _listed(inputs)
    seeds = [None] * len(ends) if grad_outputs is None else _listed(grad_outputs)
    if len(seeds) != len(ends):
        raise ValueError(f"{len(ends)} outputs need as many grad_outputs, got {len(seeds)}")
    found = gradients(ends, starts, seeds, retain_graph=retain_graph, create_graph=create_graph)
    for i, (g, x) in enumerate(zip(found, starts, strict=True)):
        if g is None and not allow_unused:
            raise GraphError(
                f"input {i} ({x.dtype}{list(x.shape)}) was not used to compute the outputs; "
                "allow_unused=True returns None for it"
            )
    return tuple(found)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Run backward from several tensors at once (see `Tensor.backward`)."""
    ends = _listed(tensors)
    seeds = [None] * len(ends) if grad_tensors is None else _listed(grad_tensors)
    if len(seeds) != len(ends):
        raise ValueError(f"{len(ends)} tensors need as many grad_tensors, got {len(seeds)}")
    _backward(ends, seeds, retain_graph=retain_graph, create_graph=create_graph)
