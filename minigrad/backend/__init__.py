"""NumPy and CuPy behind one object: devices, transfer between them, random numbers.

CuPy is imported only when a ``cuda`` device is asked for, and "cupy imports" is never taken for
"a GPU works".
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad.backend.base import Array, Backend
from minigrad.backend.determinism import is_deterministic, use_deterministic
from minigrad.backend.device import (
    CPU,
    Device,
    DeviceError,
    DeviceMismatchError,
    get_default_device,
    set_default_device,
)
from minigrad.backend.numpy_backend import NumpyBackend
from minigrad.backend.random import Generator, default_generator, manual_seed
from minigrad.backend.several import SEVERAL
from minigrad.backend.threads import get_num_threads, set_num_threads

__all__ = [
    "BACKENDS",
    "CPU",
    "NUMPY",
    "Array",
    "Backend",
    "Device",
    "DeviceError",
    "DeviceMismatchError",
    "Generator",
    "backend_of",
    "default_generator",
    "get_backend",
    "get_default_device",
    "get_num_threads",
    "gpu_problem",
    "is_array",
    "is_deterministic",
    "manual_seed",
    "set_default_device",
    "set_num_threads",
    "to_device",
    "use_deterministic",
]

NUMPY = NumpyBackend()
# By array type; CuPy's joins when it is used. NumPy's scalars are what its reductions return.
BACKENDS: dict[type, Backend] = dict.fromkeys((np.ndarray, *np.sctypeDict.values()), NUMPY)


def is_array(x: Any) -> bool:
    """Say whether ``x`` is an array of a backend in use (NumPy scalars count as arrays)."""
    return type(x) in BACKENDS or isinstance(x, np.ndarray)


def backend_of(array: Array) -> Backend:
    """Return the backend whose array this is."""
    return BACKENDS.get(type(array), NUMPY)


@cache
def gpu_problem() -> str | None:
    """Say in one sentence why no GPU can be used, with the cure; None when one works.

    A device count alone does not show missing CUDA libraries, so a product is computed and read.
    """
    try:
        import cupy as cp
    except (ImportError, AttributeError) as error:
        missing = getattr(error, "name", None) == "cupy"
        what = "CuPy is not installed" if missing else f"CuPy does not import ({error})"
        return (
            f'{what}; install it with: pip install "minigrad-engine[gpu13]" (CUDA 13 driver) '
            'or "minigrad-engine[gpu12]" (CUDA 12 driver)'
        )
    try:
        if cp.cuda.runtime.getDeviceCount() == 0:
            return "CuPy is installed, but the driver shows no CUDA device"
        ones = cp.ones((2, 2), dtype=cp.float32)
        if float((ones @ ones).sum()) != 8.0:
            return "CuPy is installed, but a 2x2 product on the device came out wrong"
    except (ImportError, RuntimeError, MemoryError) as error:
        text = " ".join(str(error).split())
        return (
            f"CuPy {cp.__version__} is installed, but no usable CUDA device was found ({text}); "
            "check the driver with nvidia-smi, and install CuPy with its CUDA libraries: "
            'pip install "minigrad-engine[gpu13]" or "minigrad-engine[gpu12]"'
        )
    return None


def get_backend(device: str | Device = CPU) -> Backend:
    """Return the backend of a device.

    Raises
    ------
    DeviceError
        A ``cuda`` device was asked for and none can be used; the text says what to install.
    """
    device = Device.parse(device)
    if device.type == "cpu":
        return NUMPY
    problem = gpu_problem()
    if problem is not None:
        raise DeviceError(f"device {str(device)!r} cannot be used: {problem}")
    import cupy as cp

    if cp.ndarray not in BACKENDS:
        from minigrad.backend.cupy_backend import CupyBackend

        BACKENDS[cp.ndarray] = CupyBackend()
    count = cp.cuda.runtime.getDeviceCount()
    if count > 1 and not SEVERAL:
        SEVERAL.append(BACKENDS[cp.ndarray])
    if device.index >= count:
        raise DeviceError(
            f"device {str(device)!r} cannot be used: this machine has {count} device(s)"
        )
    return BACKENDS[cp.ndarray]


def to_device(array: Array, device: str | Device) -> Array:
    """Return ``array`` on ``device``; the same array when it is there already."""
    device = Device.parse(device)
    source = backend_of(array)
    if source.device_of(array) == device:
        return array
    target = get_backend(device)
    return target.from_host(source.to_host(array), device)
