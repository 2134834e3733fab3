"""What NVIDIA's driver says, asked directly: no CuPy needed, and no subprocess to wait for."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver.

    Attributes
    ----------
    cuda : tuple of (int, int)
        The newest CUDA version that it runs.
    devices : tuple of str
        Name and memory of each device.
    problem : str
        Why there is no device; empty if there is one.
    """

    cuda: tuple[int, int]
    devices: tuple[str, ...] = ()
    problem: str = ""


def find_driver() -> Driver | None:
    """Ask the driver; None when there is none.

    Notes
    -----
    NVIDIA, "CUDA Driver API": cuDriverGetVersion returns 1000 major + 10 minor.
    """
    name = {"win32": "nvcuda.dll", "linux": "libcuda.so.1"}.get(sys.platform)
    if name is None:
        return None
    try:
        cuda = ctypes.CDLL(name)
        number = ctypes.c_int()
        if cuda.cuDriverGetVersion(ctypes.byref(number)) != 0:
            return None
    except (AttributeError, OSError):  # no such library, or none of NVIDIA's
        return None
    version = (number.value // 1000, number.value % 1000 // 10)
    if status := cuda.cuInit(0):
        # 100 is the everyday case: the library is there, and no GPU is.
        why = "it finds no GPU" if status == 100 else f"cuInit failed with CUDA error {status}"
        return Driver(version, problem=why)
    return Driver(version, _devices(cuda))


def _devices(cuda: ctypes.CDLL) -> tuple[str, ...]:
    count, device, size = ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetCount(ctypes.byref(count))
    found = []
    for i in range(count.value):
        cuda.cuDeviceGet(ctypes.byref(device), i)
        cuda.cuDeviceGetName(name, len(name), device)
        cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device)
        found.append(f"{name.value.decode('ascii', 'replace')}, {size.value / 2**30:.1f} GiB")
    return tuple(found)
