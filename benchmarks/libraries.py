"""minigrad and torch under the same words, so that a network is written once for both."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np


def library(name: str) -> Any:
    """Return the package, with its ``nn`` and ``optim`` imported."""
    for part in ("", ".nn", ".optim", ".nn.utils", ".nn.functional"):
        importlib.import_module(name + part)
    if name == "torch":  # of nested tensors, which nothing here uses
        warnings.filterwarnings("ignore", message="enable_nested_tensor")
    return importlib.import_module(name)


def fill(lib: Any, model: Any, seed: int = 0) -> None:
    """Give a network's parameters and statistics values that depend on their names alone.

    Weights are drawn from U(-1/sqrt(n), 1/sqrt(n)) for n inputs; what scales lies around 1.
    """
    rng = np.random.default_rng(seed)
    state = model.state_dict()
    values = {}
    for name in sorted(state):
        shape = tuple(state[name].shape)
        if name.endswith("num_batches_tracked"):
            continue
        if len(shape) > 1:
            bound = int(np.prod(shape[1:])) ** -0.5
            drawn = rng.uniform(-bound, bound, shape)
        elif name.endswith(("weight", "running_var")):
            drawn = rng.uniform(0.9, 1.1, shape)
        else:
            drawn = rng.uniform(-0.1, 0.1, shape)
        values[name] = lib.tensor(drawn.astype(np.float32))
    model.load_state_dict(values, strict=False)


def initial(network: Any, **sizes: Any) -> list[np.ndarray]:
    """Return the values that `fill` gives a network, as arrays in the order of its layers."""
    lib = library("minigrad")
    model = network(lib.nn, **sizes)
    fill(lib, model)
    return [p.detach().numpy().copy() for p in model.parameters()]
