"""CuPy on a CUDA device. Imported only when a ``cuda`` device is asked for."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, NamedTuple

import cupy as cp
import cupyx
import numpy as np
from cupyx.scipy.special import erf as cupy_erf
from cupyx.scipy.special import erfc as cupy_erfc
from cupyx.scipy.special import ndtr as cupy_ndtr

from minigrad.backend import kernels
from minigrad.backend.base import Array, Backend
from minigrad.backend.cupy_graph import Graphed
from minigrad.backend.determinism import is_deterministic
from minigrad.backend.device import Device
from minigrad.backend.random import Generator

# One number of a counter-based generator (SplitMix64: Steele, Lea and Flood, "Fast splittable
# pseudorandom number generators", OOPSLA 2014) for each element, so that threads share nothing.
# Its upper 53 bits are below `threshold` with the probability that an element is dropped.
_DROPOUT_MASK = cp.ElementwiseKernel(
    "uint64 key, uint64 threshold, float64 scale",
    "T mask",
    """
    unsigned long long bits = key + (unsigned long long)(i + 1) * 0x9E3779B97F4A7C15ULL;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
    bits = bits ^ (bits >> 31);
    mask = (bits >> 11) < threshold ? T(0) : T(scale);
    """,
    "minigrad_dropout_mask",
)

# Adds up each run of equal places in the order of its values: one thread for each sum.
_ADD_RUNS = cp.ElementwiseKernel(
    "raw T values, raw int64 order, raw int64 places, raw int64 starts, int64 width",
    "raw T out",
    """
    const long long run = i / width, column = i % width;
    const long long place = places[order[starts[run]]] * width + column;
    T total = out[place];
    for (long long j = starts[run]; j < starts[run + 1]; ++j) {
        total = total + values[order[j] * width + column];
    }
    out[place] = total;
    """,
    "minigrad_add_runs",
)


@cache
def _cuda(index: int) -> Device:
    return Device("cuda", index)


class _Range(NamedTuple):
    """What is known about an array of ints from the host."""

    array: weakref.ref[Any] | None  # removes the entry
    least: int
    largest: int
    exact: bool = True  # else it may be wider than the values
    negative: int | None = None  # the one value below 0, if there is but one


class CupyBackend(Backend):
    """Arrays of CuPy.

    Differences from NumPy that matter here: an index out of range wraps silently (so the ops check
    indices: of ints that came from the host, least and largest are found there, on the way; for
    others the check waits for the device), of an index written twice any value may stay (so
    `write_last` chooses the last), and `cupyx`'s ``erf`` and ``erfc`` turn float16 into float64 (so
    the dtype is restored).

    Notes
    -----
    Precision: float32 products are computed in float32. TensorFloat-32, which keeps 10 bits of a
    factor's mantissa, is used only where the user sets CuPy's environment variable
    ``CUPY_TF32=1``; minigrad never sets it. CuPy adds up float16 products and sums in float32 and
    rounds to float16 once. Its elementwise kernels turn float32 numbers below 1.2e-38 into 0,
    unlike NumPy.

    Copies: an array from the host is first copied into CuPy's pool of pinned memory, and from
    there to the device in the order of the current stream, while the program goes on; so a batch
    travels while the host prepares the next one (so CuPy's code says; it was not timed on a GPU).
    Reading a value back waits for it.
    """

    name = "cupy"
    kernels = kernels
    _ranges: ClassVar[dict[int, _Range]] = {}  # by the id of the array that owns the memory

    def __init__(self) -> None:
        super().__init__(cp)

    def device_of(self, array: Array) -> Device:
        return _cuda(array.device.id)

    def to_host(self, array: Array) -> Array:
        return cp.asnumpy(array)

    def from_host(self, array: Array, device: Device) -> Array:
        with cp.cuda.Device(device.index):
            moved = cp.asarray(array)
        if array.dtype.kind in "iu" and array.size and moved.base is None:
            least = int(array.min())
            one = least if least < 0 and int(array[array < 0].max()) == least else None
            self._know(moved, _Range(None, least, int(array.max()), True, one))
        return moved

    def current(self) -> Device:
        return _cuda(cp.cuda.runtime.getDevice())

    def make_current(self, device: Device) -> Device | None:
        before = self.current()
        cp.cuda.Device(device.index).use()
        return before

    def byte_bounds(self, array: Array) -> tuple[int, int]:
        start = end = int(array.data.ptr)
        for size, stride in zip(array.shape, array.strides, strict=True):
            reach = (size - 1) * stride
            start, end = (start + reach, end) if reach < 0 else (start, end + reach)
        return start, end + array.itemsize

    def pointer(self, array: Array) -> int:
        return int(array.data.ptr)

    def memory(self, nbytes: int) -> Array:
        return cp.empty(max(nbytes, 1), np.uint8)  # CuPy's pool aligns to 512 bytes

    def bytes_of(self, owner: Array) -> Array:
        return cp.ndarray((owner.nbytes,), np.uint8, owner.data)

    def array_in(
        self,
        memory: Array,
        start: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: Any,
    ) -> Array:
        return cp.ndarray(shape, dtype, memory.data + start, strides)

    def graphed(self, function: Callable[[], Any]) -> Any:
        return Graphed(function)

    def erf(self, x: Array) -> Array:
        return cupy_erf(x).astype(x.dtype, copy=False)

    def erfc(self, x: Array) -> Array:
        return cupy_erfc(x).astype(x.dtype, copy=False)

    def _know(self, owner: Array, known: _Range) -> None:
        key, ranges = id(owner), self._ranges
        gone = weakref.ref(owner, lambda _: ranges.pop(key, None))
        ranges[key] = known._replace(array=gone)

    def _known(self, x: Array) -> _Range | None:
        """Return what is known about an array's memory: of a part of it, it may be too wide."""
        owner = self.owner(x)
        known = self._ranges.get(id(owner))
        if known is None or x.dtype != owner.dtype:
            return None
        flags = x.flags
        whole = x.size == owner.size and (flags.c_contiguous or flags.f_contiguous)
        return known if whole else known._replace(exact=False)

    def forget_range(self, x: Array) -> None:
        self._ranges.pop(id(self.owner(x)), None)

    def take_range(self, x: Array, source: Array) -> None:
        known = self._known(source)
        if known is None:
            self.forget_range(x)
        else:
            self._know(self.owner(x), known)

    def in_range(self, x: Array, low: int, high: int, besides: int | None = None) -> bool:
        known = self._known(x)
        if known is not None and known.largest < high:
            besides_alone = low == 0 and besides == known.negative is not None
            if besides_alone or low <= known.least:
                return True
        return super().in_range(x, low, high, besides)

    def int_range(self, x: Array) -> tuple[int, int]:
        if x.size == 0:
            return 0, -1
        known = self._known(x)
        if known is not None and known.exact:
            return known.least, known.largest
        low, high = cp.stack([x.min(), x.max()]).tolist()  # both at once: the device is waited for
        return low, high

    def scatter_add(self, out: Array, index: Any, values: Array) -> None:
        if not is_deterministic() or out.dtype.kind != "f":  # whole numbers add up to the same
            cp.add.at(out, index, values)
            return
        places, width = _places(out, index)
        values = cp.broadcast_to(cp.asarray(values, out.dtype), out[index].shape)
        if values.size == 0:
            return
        order = cp.argsort(places, kind="stable")
        ordered = places[order]
        first = cp.flatnonzero(cp.concatenate([cp.ones(1, bool), ordered[1:] != ordered[:-1]]))
        starts = cp.concatenate([first, cp.full(1, len(places))])
        target = cp.ascontiguousarray(out)
        _ADD_RUNS(
            cp.ascontiguousarray(values), order, places, starts, width, target,
            size=len(first) * width,
        )  # fmt: skip
        if target is not out:
            out[...] = target

    def write_last(self, out: Array, index: Any, values: Array) -> None:
        parts = index if isinstance(index, tuple) else (index,)
        if not any(isinstance(p, (cp.ndarray, np.ndarray)) and p.dtype.kind in "iu" for p in parts):
            out[index] = values
            return
        chosen = out[index]
        order = cp.arange(chosen.size).reshape(chosen.shape)
        last = cp.full(out.shape, -1)
        cp.maximum.at(last, index, order)
        values = cp.broadcast_to(cp.asarray(values, out.dtype), chosen.shape)
        out[index] = values.reshape(-1)[last[index]]  # equal values for an index, whichever stays

    def sliding_windows(self, x: Array, window: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        shape, strides = list(x.shape), x.strides  # CuPy's own function waits for the device
        for axis, size in zip(axes, window, strict=True):
            shape[axis] -= size - 1
        return cp.lib.stride_tricks.as_strided(
            x, (*shape, *window), (*strides, *(strides[axis] for axis in axes))
        )

    def inv(self, A: Array) -> Array:
        with cupyx.errstate(linalg="raise"):  # else a singular matrix gives any numbers
            return cp.linalg.inv(A)

    def solve(self, A: Array, B: Array) -> Array:
        with cupyx.errstate(linalg="raise"):
            return cp.linalg.solve(A, B)

    def dropout_mask(
        self,
        shape: tuple[int, ...],
        p: float,
        scale: float,
        dtype: Any,
        generator: Generator,
        out: Array | None = None,
    ) -> Array:
        key = np.uint64(generator.host.bit_generator.random_raw())
        mask = cp.empty(shape, dtype) if out is None else out
        _DROPOUT_MASK(key, np.uint64(math.ceil(p * 2**53)), scale, mask)
        return mask

    def normal_cdf(self, x: Array) -> Array:
        return cupy_ndtr(x).astype(x.dtype, copy=False)

    def errstate(self, **_: Any) -> Any:
        """NumPy's warnings do not exist here."""
        return np.errstate()


def _places(out: Array, index: Any) -> tuple[Array, int]:
    """Return the places in ``out`` that ``index`` chooses, flat, and how many elements each has."""
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) == 1 and isinstance(parts[0], cp.ndarray) and parts[0].dtype.kind in "iu":
        return parts[0].reshape(-1).astype(cp.int64) % len(out), math.prod(out.shape[1:])
    return cp.arange(out.size).reshape(out.shape)[index].reshape(-1), 1
