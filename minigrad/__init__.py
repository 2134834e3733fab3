"""minigrad: a small deep learning engine that explains itself.

Tensors with gradients on NumPy and CuPy, under torch's names::

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x.tanh() * x).sum().backward()
    >>> x.grad
    tensor([1.18157, 1.10533, 1.02465])

A newcomer reads `minigrad.engine.op`, `minigrad.ops.arithmetic`, `minigrad.engine.backward`.
"""

from typing import TYPE_CHECKING, Any

from minigrad import autograd, linalg
from minigrad.backend import (
    Device,
    DeviceError,
    DeviceMismatchError,
    Generator,
    default_generator,
    get_default_device,
    get_num_threads,
    is_deterministic,
    manual_seed,
    set_default_device,
    set_num_threads,
    use_deterministic,
)
from minigrad.engine.dtypes import (
    bool_,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from minigrad.engine.errors import AnomalyError, GraphError, MutationError
from minigrad.engine.modes import (
    detect_anomaly,
    enable_grad,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.engine.structural import alias, broadcast_to, cast, sum_to
from minigrad.engine.tensor import Tensor
from minigrad.engine.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from minigrad.ops import *  # noqa: F403

__version__ = "0.1.0"
device = Device  # torch's name

if TYPE_CHECKING:
    from minigrad import check, data, explain, io, nn, optim, train
    from minigrad.check import gradcheck, gradgradcheck
    from minigrad.io import load, save
    from minigrad.profiler import profile
    from minigrad.replay import CaptureError, capture

_LATER = {
    "CaptureError": "replay",
    "capture": "replay",
    "gradcheck": "check",
    "gradgradcheck": "check",
    "load": "io",
    "profile": "profiler",
    "save": "io",
}


def __getattr__(name: str) -> Any:
    """Import the upper floors when they are first asked for, so that the engine starts fast."""
    import importlib

    if name in ("check", "data", "explain", "io", "nn", "optim", "train"):
        return importlib.import_module(f"minigrad.{name}")
    if name in _LATER:
        return getattr(importlib.import_module(f"minigrad.{_LATER[name]}"), name)
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
