"""Copies, and conversions of dtype and device."""

from __future__ import annotations

from typing import Any

from minigrad.backend import Array, Backend, Device
from minigrad.backend import to_device as move
from minigrad.engine.dtypes import bool_, check_dtype, float16, float32, float64, int32, int64
from minigrad.engine.facts import ELEMENTWISE_1, Facts, S
from minigrad.engine.op import op
from minigrad.engine.structural import cast
from minigrad.engine.tensor import Tensor

__all__ = ["clone", "to_device"]


@op(x=lambda g: g, facts=Facts(lambda x: x.copy(), (*ELEMENTWISE_1, S((4, 3))), analytic=True))
def clone(xp: Backend, x: Array) -> Array:
    """Return a copy with memory of its own, in the graph.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0])
    >>> y = x.clone()
    >>> y[0] = 9.0
    >>> x
    tensor([1., 2.])
    """
    return x.copy()


@op(
    aux=True,
    x=lambda g, aux: to_device(g, aux),
    facts=Facts(lambda x, device: x, [S((3, 4), device="cpu")], analytic=True, torch=""),
)
def to_device(xp: Backend, x: Array, device: str | Device) -> tuple[Array, Device]:
    """Return x on a device; its gradient travels back.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.to_device(mg.tensor([1.0]), "cpu")
    tensor([1.])
    """
    return move(x, device), xp.device_of(x)


def to(
    self: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False
) -> Tensor:
    """Return this tensor with another dtype, on another device, or like another tensor.

    ``x.to("cuda")``, ``x.to(mg.float64)``, ``x.to("cpu", mg.float32)``, ``x.to(other)``. Returns
    the tensor itself where nothing changes, unless ``copy``.
    """
    for argument in args:
        if isinstance(argument, Tensor):
            dtype, device = argument.dtype, argument.device
        elif isinstance(argument, Device) or (
            isinstance(argument, str) and argument.split(":")[0] in ("cpu", "cuda")
        ):
            device = argument
        else:
            dtype = check_dtype(argument)
    result = self
    if device is not None and Device.parse(device) != self.device:
        result = to_device(result, device)
    if dtype is not None and check_dtype(dtype) != result.dtype:
        result = cast(result, check_dtype(dtype))
    return clone(self) if copy and result is self else result


def cpu(self: Tensor) -> Tensor:
    """Return this tensor on the host."""
    return to(self, device="cpu")


def cuda(self: Tensor, index: int = 0) -> Tensor:
    """Return this tensor on a GPU."""
    return to(self, device=Device("cuda", index))


def astype(self: Tensor, dtype: Any) -> Tensor:
    """Return this tensor with another dtype (NumPy's name for ``to(dtype)``)."""
    return to(self, dtype=dtype)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """Return this tensor with another one's dtype."""
    return to(self, dtype=other.dtype)


def _to_dtype(name: str, dtype: Any) -> Any:
    def method(self: Tensor) -> Tensor:
        return to(self, dtype=dtype)

    method.__name__, method.__doc__ = name, f"Return this tensor as {dtype}."
    return method


DTYPE_METHODS = {"half": float16, "float": float32, "double": float64, "int": int32, "long": int64,
                 "bool": bool_}  # fmt: skip


def install() -> None:
    """Give `Tensor` its conversions."""
    for function in (to, cpu, cuda, astype, type_as):
        setattr(Tensor, function.__name__, function)
    for name, dtype in DTYPE_METHODS.items():
        setattr(Tensor, name, _to_dtype(name, dtype))
