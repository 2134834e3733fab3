"""NumPy on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import Context
from typing import Any

import numpy as np

from minigrad.backend.base import Array, Backend
from minigrad.backend.device import CPU, Device
from minigrad.backend.random import Generator, draw_keep

# NumPy keeps what it warns of in a context variable: a context where it warns of nothing, made
# once, is entered much faster than numpy.errstate makes one (0.3 against 0.9 microseconds).
_QUIET = Context()
_QUIET.run(np.seterr, all="ignore")

# Linux's C library gives freed memory back to the system above a threshold, and the next step of a
# training loop faults it in again, page by page. Freeing one block of nearly 32 MB, the most that
# counts, raises the threshold to twice that; the block itself is never touched. A step of a small
# CNN (W4): 3,800 page faults -> 1, 69 -> 64 ms, the same peak memory.
np.empty((32 << 20) - (1 << 16), np.uint8)

_WHOLE = 1 << 20  # elements that `in_blocks` does not cut: it pays from about 8 MB on
_ALIGN = 64  # bytes, a line of the cache
_BLOCK = 1 << 17  # elements in a piece


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

    def pointer(self, array: Array) -> int:
        return int(array.__array_interface__["data"][0])

    def memory(self, nbytes: int) -> Array:
        raw = np.empty(nbytes + _ALIGN, np.uint8)
        start = -self.pointer(raw) % _ALIGN
        return raw[start : start + nbytes]

    def bytes_of(self, owner: Array) -> Array:
        axes = sorted(range(owner.ndim), key=lambda k: -abs(owner.strides[k]))
        return owner.transpose(axes).reshape(-1).view(np.uint8)

    def array_in(
        self,
        memory: Array,
        start: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: Any,
    ) -> Array:
        return np.ndarray(shape, dtype, memory, start, strides)

    def diagonal(self, x: Array, offset: int, axis1: int, axis2: int) -> Array:
        view = np.diagonal(x, offset, axis1, axis2)  # read-only, but no other view is
        view.flags.writeable = x.flags.writeable
        return view

    def dropout_mask(
        self,
        shape: tuple[int, ...],
        p: float,
        scale: float,
        dtype: Any,
        generator: Generator,
        out: Array | None = None,
    ) -> Array:
        keep = draw_keep(generator.host, math.prod(shape), p)
        return np.multiply(keep.reshape(shape), scale, out, dtype=dtype)

    def in_blocks(self, function: Callable[..., Any], *arrays: Array) -> Any:
        first, *others = arrays
        if first.size <= _WHOLE:
            return super().in_blocks(function, *arrays)
        flat = [first.ravel("K")]  # in the order of its memory, and so the others and the results
        for a in others:
            alike = np.empty_like(first, dtype=a.dtype)
            if a.strides != alike.strides:
                alike[...] = a
                a = alike
            flat.append(a.ravel("K"))
        outs: list[Array] = []
        for start in range(0, first.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            parts = function(self, *(a[block] for a in flat))
            several = type(parts) is tuple
            parts = parts if several else (parts,)
            outs = outs or [np.empty_like(first, dtype=p.dtype) for p in parts]
            for out, part in zip(outs, parts, strict=True):
                out.ravel("K")[block] = part
        return tuple(outs) if several else outs[0]

    def in_range(self, x: Array, low: int, high: int, besides: int | None = None) -> bool:
        if (
            low == 0 and besides is None and x.dtype == np.int64
        ):  # as unsigned numbers, negative ones are huge
            return bool(x.size == 0 or x.view(np.uint64).max() < high)
        return super().in_range(x, low, high, besides)

    def row_dots(self, x: Array, y: Array) -> Array:
        return np.vecdot(x, y)  # 1024x768: 40 us, einsum 139

    def quietly(self, function: Callable[..., Any], *args: Any) -> Any:
        return _QUIET.copy().run(function, *args)  # a copy, since a context is not entered twice
