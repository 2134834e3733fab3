"""minigrad and torch under the same words, so that a network is written once for both."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


def library(name: str) -> Any:
    """Return the package, with its ``nn`` and ``optim`` imported."""
    for part in ("", ".nn", ".optim", ".nn.utils", ".nn.functional"):
        importlib.import_module(name + part)
    if name == "torch":  # of nested tensors, which nothing here uses
        warnings.filterwarnings("ignore", message="enable_nested_tensor")
    return importlib.import_module(name)


def settle(lib: Any, device: str) -> None:
    """Make a library put what it makes on a device, so that the same program runs there."""
    if device:
        lib.set_default_device(device)


def waiting(lib: Any, device: str) -> Callable[[], Any]:
    """Return what waits until a device has done all that it was given."""
    if not device.startswith("cuda"):
        return lambda: None
    if lib.__name__ == "torch":
        return lib.cuda.synchronize
    import cupy

    return cupy.cuda.Device().synchronize


def stand_in() -> str:
    """Return a warning if CuPy's device is not a GPU, else an empty text; CuPy is imported."""
    import cupy

    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return f"{name}: distances count, times mean nothing here" if "not a GPU" in name else ""


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
