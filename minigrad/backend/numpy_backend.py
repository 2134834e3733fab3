"""NumPy on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import Context
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.backend import threads
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

_WHOLE = 1 << 20  # elements that blocks are not cut from: it pays from about 8 MB on
_ALIGN = 64  # bytes, a line of the cache
_BLOCK = 1 << 17  # elements in a piece
_SHARED = 1 << 18  # the same for several threads
_SHARED_PRODUCTS = 1 << 22  # numbers multiplied for one thread at least: 80 microseconds or more


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

    def each(self, items: Sequence[Any], function: Callable[[Any], Any], take: bool = True) -> None:
        count = 1
        if len(items) > 1:
            count = threads.take_cores() if take else threads.at_hand()
        if count == 1:
            super().each(items, function)
        else:
            threads.deal(items, [function] * min(count, len(items)))

    def matmul(self, a: Array, b: Array, out: Array | None = None) -> Array:
        """Return ``a @ b``; threads share a large product, each some rows, columns or matrices."""
        count = threads.at_hand() if out is None else 1
        if count > 1:
            count = min(count, _products(a, b) // _SHARED_PRODUCTS)
        if count < 2:
            return np.matmul(a, b, out=out)
        y = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
        wide = y.ndim == 2 and len(y) < y.shape[1]

        def multiply(low: int, high: int) -> None:
            part = slice(low, high)
            if y.ndim > 2:
                np.matmul(a[part], b[part], out=y[part])
            elif wide:
                np.matmul(a, b[:, part], out=y[:, part])
            else:
                np.matmul(a[part], b, out=y[part])

        size = y.shape[1] if wide else len(y)
        count = min(count, size)
        even = 16 if y.ndim == 2 else 1  # BLAS computes so many rows or columns at a time
        cuts = [size * k // count // even * even for k in range(count)]
        threads.share([partial(multiply, *c) for c in pairwise([*cuts, size])])
        return y

    def in_blocks(self, function: Callable[..., Any], *arrays: Array) -> Any:
        if _is_whole(arrays[0]):
            return super().in_blocks(function, *arrays)
        flat = _flat(arrays)
        several = False
        outs: list[Array] = []
        into: list[Array] = []

        def compute(start: int) -> None:
            nonlocal several
            block = slice(start, start + _BLOCK)
            parts = function(self, *(a[block] for a in flat))
            if not start:
                several = type(parts) is tuple
                dtypes = [p.dtype for p in (parts if several else [parts])]
                outs.extend(np.empty_like(arrays[0], dtype=dtype) for dtype in dtypes)
                into.extend(_flat(outs))
            for out, part in zip(into, parts if several else [parts], strict=True):
                out[block] = part

        compute(0)  # says which results there are
        self.each(range(_BLOCK, arrays[0].size, _BLOCK), compute, take=False)
        return tuple(outs) if several else outs[0]

    def into_blocks(self, function: Callable[..., Any], *arrays: Array) -> Array:
        if _is_whole(arrays[0]):
            return super().into_blocks(function, *arrays)
        out = np.empty_like(arrays[0])
        flat = _flat((out, *arrays))

        def compute(start: int) -> None:
            block = slice(start, start + _BLOCK)
            function(self, *(a[block] for a in flat))

        self.each(range(0, out.size, _BLOCK), compute, take=False)
        return out

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


def _is_whole(first: Array) -> bool:
    """Say whether elementwise work on arrays like this one is not worth cutting."""
    return first.size <= (_WHOLE if threads.at_hand() == 1 else _SHARED)


def _flat(arrays: Sequence[Array]) -> list[Array]:
    """Return arrays of one shape flat, in the order in which one like the first lies in memory."""
    flat: list[Array] = []
    for a in arrays:  # the first one, too: broadcast, it would be raveled in another order
        alike = np.empty_like(arrays[0], dtype=a.dtype)
        if a.strides != alike.strides:
            alike[...] = a
            a = alike
        flat.append(a.ravel("K"))
    return flat


def _products(a: Array, b: Array) -> int:
    """Return how many numbers a product of matrices multiplies, 0 if it is none to be shared."""
    alike = a.ndim == b.ndim > 1 and a.dtype == b.dtype and a.shape[:-2] == b.shape[:-2]
    fits = alike and a.dtype.kind == "f" and a.shape[-1] == b.shape[-2]
    return a.size * b.shape[-1] if fits and (a.ndim == 2 or len(a) > 1) else 0
