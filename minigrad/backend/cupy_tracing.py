"""CuPy arrays that tell a recorder what is done with them, and the backend that makes them.

NumPy asks an array's class before it computes; CuPy does not. So `TracingCupyBackend` hands out
CuPy's functions wrapped, and `CupyTracer` has the operators and methods. `minigrad.replay` has the
recorder, and says here where it is.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from types import ModuleType
from typing import Any

import cupy as cp
import numpy as np

from minigrad.backend import kernels
from minigrad.backend.base import Array
from minigrad.backend.cupy_backend import CupyBackend
from minigrad.backend.device import Device
from minigrad.backend.random import Generator

# Functions that have ``out=``, and methods of arrays that are such functions
TAKES_OUT = {
    "all", "amax", "amin", "any", "argmax", "argmin", "concatenate", "cumprod", "cumsum", "dot",
    "matmul", "max", "mean", "min", "prod", "stack", "std", "sum", "take", "var",
}  # fmt: skip
_REDUCING = TAKES_OUT - {"amax", "amin", "concatenate", "matmul", "stack", "take"}
_COMPUTING = (
    "__getitem__", "argsort", "astype", "choose", "clip", "copy", "flatten", "ravel", "repeat",
    "reshape", "round", "searchsorted", "take", "trace",
)  # fmt: skip
_READING = (
    "__bool__", "__complex__", "__contains__", "__float__", "__index__", "__int__",
    "get", "item", "nonzero", "partition", "put", "scatter_add", "set", "sort", "tobytes", "tolist",
)  # fmt: skip
_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "matmul": "matmul",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift",
    "rshift": "right_shift",
}  # fmt: skip
_COMPARISONS = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal",
}  # fmt: skip
_SIGNS = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}
_MAKERS = ("arange", "empty", "eye", "full", "identity", "linspace", "ones", "tri", "zeros")


class CupyTracer(cp.ndarray):  # type: ignore[misc]
    """An array whose use is recorded."""

    _recorder: Any = None
    __hash__ = None  # type: ignore[assignment]

    def __array_finalize__(self, other: Any) -> None:
        if other is not None:
            self._recorder = getattr(other, "_recorder", None)

    @property
    def _working(self) -> bool:
        return self._recorder is not None and self._recorder.working

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._working:
            self._recorder.write(self, key, value)
        else:
            untraced(self)[untraced(key)] = untraced(value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def fill(self, value: Any) -> None:
        """Set all elements."""
        self[...] = value

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()


def untraced(nest: Any) -> Any:
    """Return nested arguments with plain arrays in the place of tracers."""
    if type(nest) is CupyTracer:
        return nest.view(cp.ndarray)
    if type(nest) in (tuple, list):
        return type(nest)(untraced(x) for x in nest)
    if type(nest) is dict:
        return {k: untraced(x) for k, x in nest.items()}
    return nest


def _recorder_of(nest: Any) -> Any:
    """Return the recorder that is at work for one of the arrays in nested arguments."""
    if type(nest) is CupyTracer:
        return nest._recorder if nest._working else None
    if isinstance(nest, dict):
        nest = tuple(nest.values())
    if isinstance(nest, (tuple, list)):
        for x in nest:
            if (found := _recorder_of(x)) is not None:
                return found
    return None


def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return one of CuPy's functions that tells the recorder of the arrays it gets."""

    def call(*args: Any, **kwargs: Any) -> Any:
        at_work = _recorder_of((args, kwargs))
        if at_work is None:
            return function(*untraced(args), **untraced(kwargs))
        return at_work.call_of(function, args, kwargs)

    return call


def _computing(name: str) -> Callable[..., Any]:
    method = getattr(cp.ndarray, name)

    def call(self: CupyTracer, *args: Any, **kwargs: Any) -> Any:
        if self._working:
            return self._recorder.method(name, method, self, args, kwargs)
        return method(untraced(self), *untraced(args), **untraced(kwargs))

    return call


def _reading(name: str) -> Callable[..., Any]:
    method = getattr(cp.ndarray, name, None)

    def call(self: CupyTracer, *args: Any) -> Any:
        if self._working or method is None:
            return self._recorder.read(self, name)
        return method(untraced(self), *args)

    return call


def _operator(name: str, function: Any, *, swapped: bool = False, in_place: bool = False) -> Any:
    plainly = getattr(cp.ndarray, name)
    run = recorded(function)

    def call(self: CupyTracer, *others: Any) -> Any:
        for other in others:
            if not isinstance(other, (cp.ndarray, np.generic, numbers.Number)):
                return NotImplemented
        if not self._working and _recorder_of(others) is None:
            return plainly(untraced(self), *untraced(others))
        if in_place:
            run(self, *others, out=self)
            return self
        return run(*others, self) if swapped else run(self, *others)

    return call


for _name in _COMPUTING:
    setattr(CupyTracer, _name, _computing(_name))
for _name in _REDUCING:
    setattr(CupyTracer, _name, recorded(getattr(cp, _name)))
for _name in _READING:
    setattr(CupyTracer, _name, _reading(_name))
for _name, _function in _OPERATORS.items():
    _run = getattr(cp, _function)
    setattr(CupyTracer, f"__{_name}__", _operator(f"__{_name}__", _run))
    setattr(CupyTracer, f"__r{_name}__", _operator(f"__r{_name}__", _run, swapped=True))
    setattr(CupyTracer, f"__i{_name}__", _operator(f"__{_name}__", _run, in_place=True))
for _name, _function in (_COMPARISONS | _SIGNS).items():
    setattr(CupyTracer, f"__{_name}__", _operator(f"__{_name}__", getattr(cp, _function)))


class _Module:
    """A part of CuPy, like ``cupy.linalg``, with recorded functions."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if isinstance(value, ModuleType):
            return _Module(value)
        if isinstance(value, type) or not callable(value):
            return value
        return recorded(value)


class _Kernels:
    """The kernels written by hand, each recorded as one call."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(kernels, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            at_work = _recorder_of((args, kwargs))
            if at_work is None:
                return function(*untraced(args), **untraced(kwargs))
            return at_work.kernel(name, function, args, kwargs)

        setattr(self, name, call)
        return call


class TracingCupyBackend(CupyBackend):
    """CuPy, recording.

    Parameters
    ----------
    recorder : callable
        Returns the recorder that is at work in this thread, or None.
    """

    kernels: Any = _Kernels()

    def __init__(self, recorder: Callable[[], Any]) -> None:
        super().__init__()
        self.module: Any = _Module(cp)
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _MAKERS:
            make = getattr(cp, name)

            def value(*args: Any, **kwargs: Any) -> Any:
                made = make(*args, **kwargs)
                at_work = self._recorder()
                return made if at_work is None else at_work.make(made)

        else:
            value = getattr(self.module, name)
        setattr(self, name, value)
        return value

    def asarray(self, x: Any, dtype: Any = None) -> Array:
        """Return x as an array that is recorded."""
        at_work = self._recorder()
        if at_work is None:
            return cp.asarray(untraced(x), dtype)
        if type(x) is not CupyTracer:
            x = at_work.make(cp.array(x, dtype))
        return x if dtype is None else x.astype(dtype, copy=False)

    array = asarray

    def ascontiguousarray(self, x: Array) -> Array:
        """Return x, or a copy in row-major order."""
        return x if x.flags.c_contiguous else x.copy()

    def to_host(self, array: Array) -> Array:
        at_work = _recorder_of(array)
        return super().to_host(untraced(array)) if at_work is None else at_work.read(array, "get")

    def from_host(self, array: Array, device: Device) -> Array:
        moved, at_work = super().from_host(array, device), self._recorder()
        return moved if at_work is None else at_work.make(moved)

    def _whole(self, name: str, *args: Any, writes: bool = False) -> Any:
        """Run a method of `CupyBackend` on plain arrays, and record it as one call."""
        function, at_work = getattr(super(), name), _recorder_of(args)
        if at_work is None:
            return function(*untraced(args))
        return at_work.whole(name, function, args, writes)

    def erf(self, x: Array) -> Array:
        return self._whole("erf", x)

    def erfc(self, x: Array) -> Array:
        return self._whole("erfc", x)

    def normal_cdf(self, x: Array) -> Array:
        return self._whole("normal_cdf", x)

    def inv(self, A: Array) -> Array:
        return self._whole("inv", A)

    def solve(self, A: Array, B: Array) -> Array:
        return self._whole("solve", A, B)

    def sliding_windows(self, x: Array, window: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        return self._whole("sliding_windows", x, window, axes)

    def scatter_add(self, out: Array, index: Any, values: Array) -> None:
        self._whole("scatter_add", out, index, values, writes=True)

    def write_last(self, out: Array, index: Any, values: Array) -> None:
        self._whole("write_last", out, index, values, writes=True)

    def int_range(self, x: Array) -> tuple[int, int]:
        at_work = _recorder_of(x)
        return super().int_range(untraced(x)) if at_work is None else at_work.read(x, "int_range")

    def in_range(self, x: Array, low: int, high: int, besides: int | None = None) -> bool:
        at_work = _recorder_of(x)
        if at_work is None:
            return super().in_range(untraced(x), low, high, besides)
        inside = super().in_range
        return at_work.judge(x, lambda a: inside(a, low, high, besides))

    def dropout_mask(
        self,
        shape: tuple[int, ...],
        p: float,
        scale: float,
        dtype: Any,
        generator: Generator,
        out: Array | None = None,
    ) -> Array:
        mask, at_work = (
            super().dropout_mask(shape, p, scale, dtype, generator, out),
            self._recorder(),
        )
        return mask if at_work is None else at_work.read(mask, "dropout_mask")
