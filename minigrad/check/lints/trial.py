"""Trial: run somebody's model and optimiser, and leave them as they were.

Nothing is undone element by element. For the time of the trial every parameter and buffer holds
a copy of its array and the optimiser a copy of its attributes; afterwards the first ones are put
back, untouched. So the model's memory, its place in the optimiser's buffers and any pending graph
survive, whatever the trial did.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad.backend import default_generator
from minigrad.engine.tensor import Leaf, Tensor


@contextmanager
def trial(model: Any, optimizer: Any = None) -> Iterator[None]:
    """Put back, at the end, all that a run may change in a model and an optimiser.

    That is parameters, buffers, gradients, modes, hooks, whatever else modules keep as
    attributes, the optimiser's options and state, and the state of the random generator.
    NumPy's warnings are off meanwhile.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.check.lints.trial import trial
    >>> layer = mg.nn.Linear(2, 1, bias=False)
    >>> before = layer.weight.tolist()
    >>> with trial(layer):
    ...     _ = mg.nn.init.zeros_(layer.eval().weight)
    >>> layer.weight.tolist() == before, layer.training
    (True, True)
    """
    modules = [module for _, module in model.named_modules()]
    tensors = {id(t): t for t in (*model.parameters(), *model.buffers())}
    if optimizer is not None:
        tensors |= {id(p): p for group in optimizer.param_groups for p in group["params"]}
    attributes = [(x, dict(x.__dict__)) for x in (*modules, *tensors.values())]
    held = {id(v): v for _, kept in attributes for v in kept.values()}
    contents = [(v, copy.copy(v)) for v in held.values() if type(v) in (list, dict, set)]
    leaves = [
        (n, n.shape, n.dtype, n.hooks) for t in tensors.values() if isinstance(n := t._node, Leaf)
    ]
    kept_optimizer = None if optimizer is None else optimizer.__dict__
    generator = default_generator.get_state()
    try:
        for tensor in tensors.values():
            tensor._array = tensor._array.copy(order="K")
            tensor.grad = None
        if optimizer is not None:  # its copy goes on with the model's own tensors
            optimizer.__dict__ = copy.deepcopy(kept_optimizer, dict(tensors))
        with np.errstate(all="ignore"):
            yield
    finally:
        for x, kept in attributes:
            x.__dict__.clear()
            x.__dict__.update(kept)
        for leaf, shape, dtype, hooks in leaves:
            leaf.shape, leaf.dtype, leaf.hooks = shape, dtype, hooks
        for container, kept in contents:
            _refill(container, kept)
        if optimizer is not None:
            optimizer.__dict__ = kept_optimizer
        default_generator.set_state(generator)


def _refill(container: Any, kept: Any) -> None:
    """Give a list, dict or set its former contents again."""
    container.clear()
    if isinstance(container, list):
        container.extend(kept)
    else:
        container.update(kept)


def tensors_in(value: Any) -> list[Tensor]:
    """Return the Tensors in a value: a Tensor, or lists, tuples and dicts of them."""
    if isinstance(value, Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (list, tuple, dict)):
        return []
    return [t for item in items for t in tensors_in(item)]
