"""What layers are made with: checked sizes, and memory to be filled with first values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.backend import NUMPY, get_default_device, to_device
from minigrad.engine.dtypes import check_dtype, get_default_dtype
from minigrad.engine.tensor import Tensor, wrap


def check_count(name: str, value: Any) -> int:
    """Return a size that a layer was given, if it is an int from 0."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, not {type(value).__name__} {value!r}")
    if int(value) < 0:
        raise ValueError(f"{name} must not be negative, it is {value}")
    return int(value)


def blank(
    shape: Sequence[int], device: Any, dtype: Any, memory: Sequence[int] | None = None
) -> Tensor:
    """Return a tensor to be filled; ``memory``: its axes in the order in which they lie there."""
    order = range(len(shape)) if memory is None else memory
    dtype = get_default_dtype() if dtype is None else check_dtype(dtype)
    array = NUMPY.empty([shape[a] for a in order], dtype)
    array = to_device(array, get_default_device() if device is None else device)
    return wrap(array.transpose(sorted(range(len(shape)), key=list(order).__getitem__)), None)
