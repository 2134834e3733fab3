"""New tensors: from data, of zeros and ones, ranges, identities. Torch's names and defaults."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import (
    CPU,
    NUMPY,
    Device,
    backend_of,
    get_backend,
    get_default_device,
    is_array,
    to_device,
)
from minigrad.engine.dtypes import DType, check_dtype, get_default_dtype, int64, make_array
from minigrad.engine.recording import recorder
from minigrad.engine.tensor import Tensor, wrap

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full",
    "full_like", "linspace", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip

Where = str | Device | None


def tensor(
    data: Any, *, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor from numbers, nested lists, an array or a tensor; the data are copied.

    See `Tensor` for dtypes and errors.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    return Tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)


def as_tensor(data: Any, *, dtype: DType = None, device: Where = None) -> Tensor:
    """Make a tensor that shares the data's memory where possible; a tensor is returned as it is."""
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    return wrap(make_array(data, dtype, device, copy=False), None)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """Make a tensor that shares a NumPy array's memory.

    Changes that are made through the array itself are not seen by the engine: change the tensor,
    or copy with `tensor`.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy needs a numpy.ndarray, not {type(array).__name__}")
    return as_tensor(array, device=CPU)


def from_dlpack(source: Any) -> Tensor:
    """Make a tensor that shares the memory of another library's, through the DLPack protocol."""
    kind, index = source.__dlpack_device__()
    device = CPU if kind == 1 else Device("cuda", index)
    return as_tensor(get_backend(device).from_dlpack(source), device=device)


def _finish(array: Any, device: Where, requires_grad: bool) -> Tensor:
    device = get_default_device() if device is None else device
    made = wrap(array if device is CPU else to_device(array, device), None)
    if (recording := recorder()) is not None:
        recording.born(made)
    return made.requires_grad_() if requires_grad else made


def _filled(
    make: str, size: tuple[Any, ...], *args: Any, device: Where, requires_grad: bool
) -> Tensor:
    """Make a tensor with a backend's ``zeros``, ``ones``, ``empty`` or ``full``.

    On a GPU it is made there; but ints are copied there, since so it is known how large they are.
    """
    device = get_default_device() if device is None else Device.parse(device)
    host = device == CPU or args[-1].kind in "iu"
    xp = NUMPY if host else get_backend(device)
    before = None if host else xp.make_current(device)
    try:
        made = getattr(xp, make)(_size(size), *args)
    finally:
        if before is not None:
            xp.make_current(before)
    return _finish(made, device, requires_grad)


def _size(size: tuple[Any, ...]) -> tuple[int, ...]:
    """Read a size that was given as ``(2, 3)`` or as ``2, 3``."""
    if len(size) == 1 and not isinstance(size[0], (int, np.integer)):
        size = tuple(size[0])
    for n in size:
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise ValueError(f"a size is made of ints that are not negative, not {size!r}")
    return tuple(int(n) for n in size)


def _dtype(dtype: DType) -> Any:
    return get_default_dtype() if dtype is None else check_dtype(dtype)


def zeros(
    *size: Any, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor of zeros.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _filled("zeros", size, _dtype(dtype), device=device, requires_grad=requires_grad)


def ones(
    *size: Any, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor of ones."""
    return _filled("ones", size, _dtype(dtype), device=device, requires_grad=requires_grad)


def empty(
    *size: Any, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make a tensor whose elements are whatever the memory held."""
    return _filled("empty", size, _dtype(dtype), device=device, requires_grad=requires_grad)


def full(
    size: Any,
    fill_value: Any,
    *,
    dtype: DType = None,
    device: Where = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a tensor of one value; its dtype follows the value (float: the default dtype).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.full((2,), 7)
    tensor([7, 7])
    """
    value = make_array(fill_value, dtype, CPU, copy=False)
    size = size if isinstance(size, (tuple, list)) else (size,)
    args = value.item(), value.dtype
    return _filled("full", (size,), *args, device=device, requires_grad=requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DType = None,
    device: Where = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make ``start, start + step, ...`` below ``end``; ints give int64, floats the default dtype.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.arange(1, 7, 2)
    tensor([1, 3, 5])
    """
    start, end = (0, start) if end is None else (start, end)
    if step == 0:
        raise ValueError("arange needs a step that is not 0")
    whole = all(isinstance(v, (int, np.integer)) for v in (start, end, step))
    made = np.arange(start, end, step).astype(
        check_dtype(dtype or (int64 if whole else _dtype(None)))
    )
    return _finish(made, device, requires_grad)


def linspace(
    start: float, end: float, steps: int, *, dtype: DType = None, device: Where = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Make ``steps`` numbers from ``start`` to ``end``, both included, evenly spaced.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    return _finish(np.linspace(start, end, steps).astype(_dtype(dtype)), device, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DType = None,
    device: Where = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make an identity matrix.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _finish(np.eye(n, m, dtype=_dtype(dtype)), device, requires_grad)


def full_like(
    x: Tensor,
    fill_value: Any,
    *,
    dtype: DType = None,
    device: Where = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a tensor of one value with another tensor's shape, dtype and device."""
    array = x._array if isinstance(x, Tensor) else x
    if not is_array(array):
        raise TypeError(f"expected a Tensor, not {type(x).__name__}")
    xp = backend_of(array)
    made = xp.full(array.shape, fill_value, array.dtype if dtype is None else check_dtype(dtype))
    return _finish(made, xp.device_of(array) if device is None else device, requires_grad)


def zeros_like(
    x: Tensor, *, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make zeros with another tensor's shape, dtype and device."""
    return full_like(x, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    x: Tensor, *, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make ones with another tensor's shape, dtype and device."""
    return full_like(x, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(
    x: Tensor, *, dtype: DType = None, device: Where = None, requires_grad: bool = False
) -> Tensor:
    """Make an uninitialised tensor with another tensor's shape, dtype and device."""
    xp = backend_of(x._array)
    made = xp.empty(x.shape, x.dtype if dtype is None else check_dtype(dtype))
    return _finish(made, x.device if device is None else device, requires_grad)
