"""Several GPUs: work is done where its arrays are, whichever device is current.

CuPy launches kernels on the current device. With one GPU there is nothing to choose, and nothing
here costs anything: `SEVERAL` is empty, and asking so takes 10 ns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.backend.base import Backend
from minigrad.backend.device import Device

SEVERAL: list[Backend] = []  # the backend whose machine has more than one device


def elsewhere(arrays: Iterable[Any]) -> set[Device]:
    """Return the devices that arrays are on; none, if that is the current one alone."""
    (xp,) = SEVERAL
    devices = {xp.device_of(a) for a in arrays if isinstance(a, xp.ndarray)}
    return set() if devices <= {xp.current()} else devices


def follow(array: Any) -> None:
    """Work on the device of an array from now on (or of a Tensor's)."""
    (xp,) = SEVERAL
    array = getattr(array, "_array", array)
    if isinstance(array, xp.ndarray):
        xp.make_current(xp.device_of(array))


@contextmanager
def staying(device: Device | None = None) -> Iterator[None]:
    """Come back, at the end, to the device that is current; work on another one until then."""
    if not SEVERAL:
        yield
        return
    (xp,) = SEVERAL
    before = xp.current()
    if device is not None:
        xp.make_current(device)
    try:
        yield
    finally:
        xp.make_current(before)
