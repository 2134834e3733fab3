"""A second device that needs no GPU: arrays of another library, as NumPy's operators see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.backend import BACKENDS, Device
from minigrad.backend.numpy_backend import NumpyBackend
from minigrad.engine.tensor import wrap


class OtherArray:
    """An array of another library: one that NumPy's operators do not take."""

    __array_ufunc__ = None

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values = values
        self.dtype, self.shape, self.ndim = values.dtype, values.shape, values.ndim
        self.size = values.size


class OtherBackend(NumpyBackend):
    """A second backend that says it is a GPU: to test what does not need one."""

    def __init__(self) -> None:
        super().__init__()
        self.ndarray = OtherArray

    def device_of(self, array: Any) -> Device:
        return Device("cuda", 0)

    def to_host(self, array: Any) -> Any:
        return array.values


@contextmanager
def on_other_device(values: np.ndarray[Any, Any]) -> Iterator[mg.Tensor]:
    """Give a tensor on the stand-in device."""
    BACKENDS[OtherArray] = OtherBackend()
    try:
        yield wrap(OtherArray(values), None)
    finally:
        del BACKENDS[OtherArray]
