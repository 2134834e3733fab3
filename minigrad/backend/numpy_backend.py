"""NumPy on the CPU."""

from __future__ import annotations

import numpy as np

from minigrad.backend.base import Array, Backend
from minigrad.backend.device import CPU, Device


class NumpyBackend(Backend):
    """Arrays of NumPy."""

    name = "numpy"

    def __init__(self) -> None:
        super().__init__(np)

    def device_of(self, array: Array) -> Device:
        return CPU

    def to_host(self, array: Array) -> Array:
        return array

    def from_host(self, array: Array, device: Device) -> Array:
        return array

    def byte_bounds(self, array: Array) -> tuple[int, int]:
        return np.lib.array_utils.byte_bounds(array)
