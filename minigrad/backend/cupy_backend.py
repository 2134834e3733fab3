"""CuPy on a CUDA device. Imported only when a ``cuda`` device is asked for."""

from __future__ import annotations

from typing import Any

import cupy as cp
import numpy as np
from cupyx.scipy.special import erf as cupy_erf
from cupyx.scipy.special import erfc as cupy_erfc

from minigrad.backend.base import Array, Backend
from minigrad.backend.device import Device


class CupyBackend(Backend):
    """Arrays of CuPy.

    Differences from NumPy that matter here: an index out of range wraps silently (so it is
    checked), and `cupyx`'s ``erf`` and ``erfc`` turn float16 into float64 (so the dtype is
    restored).
    """

    name = "cupy"

    def __init__(self) -> None:
        super().__init__(cp)

    def device_of(self, array: Array) -> Device:
        return Device("cuda", array.device.id)

    def to_host(self, array: Array) -> Array:
        return cp.asnumpy(array)

    def from_host(self, array: Array, device: Device) -> Array:
        with cp.cuda.Device(device.index):
            return cp.asarray(array)

    def byte_bounds(self, array: Array) -> tuple[int, int]:
        start = end = int(array.data.ptr)
        for size, stride in zip(array.shape, array.strides, strict=True):
            reach = (size - 1) * stride
            start, end = (start + reach, end) if reach < 0 else (start, end + reach)
        return start, end + array.itemsize

    def erf(self, x: Array) -> Array:
        return cupy_erf(x).astype(x.dtype, copy=False)

    def erfc(self, x: Array) -> Array:
        return cupy_erfc(x).astype(x.dtype, copy=False)

    def errstate(self, **_: Any) -> Any:
        """NumPy's warnings do not exist here."""
        return np.errstate()
