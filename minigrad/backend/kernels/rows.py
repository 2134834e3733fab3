"""What the kernels that give each row of a matrix to one block of threads have in common."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import cupy as cp
import numpy as np

THREADS = 256  # of a block, a power of two

_TYPES: dict[str, tuple[str, str]] = {  # as stored, and as computed with
    "float16": ("__half", "float"),
    "float32": ("float", "float"),
    "float64": ("double", "double"),
}

# A thread first works on every blockDim.x-th element of the row, then the block joins the results:
# in a tree, so that the order does not depend on which thread comes first.
_JOIN = """
__device__ A all_sum(A value, A* shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    A total = shared[0];
    __syncthreads();  // before the next call writes
    return total;
}

__device__ A all_max(A value, A* shared) {  // NaN is larger than any number
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            A other = shared[threadIdx.x + half];
            if (other > shared[threadIdx.x] || other != other) shared[threadIdx.x] = other;
        }
        __syncthreads();
    }
    A largest = shared[0];
    __syncthreads();
    return largest;
}
"""


def source(text: str, dtype: str) -> str:
    """Return a kernel's text with T, the type of the arrays, and A, that of the arithmetic."""
    stored, wide = _TYPES[dtype]
    head = "#include <cuda_fp16.h>\n" if dtype == "float16" else ""
    return f"{head}typedef {stored} T;\ntypedef {wide} A;\n{_JOIN}\n{text}"


@cache
def kernel(text: str, name: str, dtype: str) -> Any:
    """Return a compiled kernel."""
    return cp.RawKernel(source(text, dtype), name)


def wide_dtype(dtype: Any) -> Any:
    """Return the dtype that kernels compute in."""
    return np.dtype(np.float32) if dtype == np.float16 else np.dtype(dtype)


def block(width: int) -> int:
    """Return how many threads a row of this width gets."""
    return min(THREADS, max(32, 1 << max(width - 1, 0).bit_length()))


# Every text that `kernel` is called with, for the test that compiles them all.
TEXTS: dict[str, str] = {}


def text_of(name: str, text: str) -> str:
    """Take note of a kernel's text."""
    TEXTS[name] = text
    return text


def launch(name: str, dtype: Any, rows: int, width: int, args: tuple[Any, ...]) -> None:
    """Run a kernel with a block for each row."""
    if rows:
        kernel(TEXTS[name], name, str(np.dtype(dtype)))((rows,), (block(width),), args)


def new(out: Any, shapes: Iterable[tuple[tuple[int, ...], Any]]) -> Any:
    """Return the arrays to write to: those given, or new ones of (shape, dtype) each."""
    return out if out is not None else tuple(cp.empty(s, d) for s, d in shapes)


@cache
def one_of(value: Any, dtype: Any, device: int) -> Any:
    """Return an array of one element on a device, made once: it is never written to."""
    return cp.full(1, value, dtype)
