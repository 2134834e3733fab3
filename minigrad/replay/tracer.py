"""Arrays that tell a recorder what is done with them, and the backend that makes such arrays.

A `Tracer` is an array with values, so whatever looks at shapes, dtypes or strides goes on as
usual. Views need no record: a view is known by its memory. What computes or writes is recorded.
Once the recording has ended, a tracer that was left somewhere is an ordinary array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend import BACKENDS, NUMPY, Backend
from minigrad.backend.numpy_backend import NumpyBackend
from minigrad.engine.recording import recorder


class DataDependent(Exception):
    """A kernel looks at values: it is recorded as one call instead of by its parts."""


class Tracer(np.ndarray):
    """An array whose use is recorded."""

    _recorder: Any = None

    def __array_finalize__(self, other: Any) -> None:
        if other is not None:
            self._recorder = getattr(other, "_recorder", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        at_work = _recorder_of((*inputs, *kwargs.get("out", ())))
        if at_work is None:
            return getattr(ufunc, method)(*plain(inputs), **plain(kwargs))
        return at_work.ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        at_work = _recorder_of((*_flat(args), *_flat(kwargs)))
        if at_work is None:
            return function(*plain(args), **plain(kwargs))
        return at_work.function(function, args, kwargs)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._working:
            self._recorder.write(self, key, value)
        else:
            plain(self)[plain(key)] = plain(value)

    def fill(self, value: Any) -> None:
        """Set all elements."""
        self[...] = value

    @property
    def _working(self) -> bool:
        return self._recorder is not None and self._recorder.working

    def __reduce__(self) -> Any:
        return plain(self).__reduce__()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()


PLAIN: dict[type, type] = {Tracer: np.ndarray}  # which arrays tracers are; CuPy's join in `gpu`


def plain(nest: Any) -> Any:
    """Return nested arguments with plain arrays in the place of tracers."""
    if type(nest) in PLAIN:
        return nest.view(PLAIN[type(nest)])
    if type(nest) in (tuple, list):
        return type(nest)(plain(x) for x in nest)
    if type(nest) is dict:
        return {k: plain(x) for k, x in nest.items()}
    if isinstance(nest, tuple) and hasattr(nest, "_fields"):
        return type(nest)(*(plain(x) for x in nest))
    return nest


def _flat(nest: Any) -> list[Any]:
    if isinstance(nest, dict):
        nest = list(nest.values())
    if isinstance(nest, (tuple, list)):
        return [y for x in nest for y in _flat(x)]
    return [nest]


def _recorder_of(values: Any) -> Any:
    for x in values:
        if isinstance(x, Tracer) and x._working:
            return x._recorder
    return None


def _computing(name: str) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)

    def call(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        if self._working:
            return self._recorder.method(name, method, self, args, kwargs)
        return method(plain(self), *plain(args), **plain(kwargs))

    call.__name__ = name
    return call


def _reading(name: str) -> Callable[..., Any]:
    method = getattr(np.ndarray, name)

    def call(self: Tracer, *args: Any) -> Any:
        if self._working:
            return self._recorder.read(self, name)
        return method(plain(self), *args)

    call.__name__ = name
    return call


for _name in (
    "__getitem__", "argmax", "argmin", "argsort", "astype", "choose", "copy", "dot", "flatten",
    "ravel", "repeat", "reshape", "round", "searchsorted", "take", "trace",
):  # fmt: skip
    setattr(Tracer, _name, _computing(_name))
for _name in (
    "__bool__", "__complex__", "__contains__", "__float__", "__index__", "__int__", "compress",
    "item", "nonzero", "partition", "put", "sort", "tobytes", "tolist",
):  # fmt: skip
    setattr(Tracer, _name, _reading(_name))


_MAKERS = ("arange", "empty", "eye", "full", "identity", "linspace", "ones", "tri", "zeros")


class TracingBackend(NumpyBackend):
    """NumPy, making tracers where it makes arrays out of nothing."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(np, name)
        if name in _MAKERS:
            make = value

            def value(*args: Any, **kwargs: Any) -> Any:
                made = make(*args, **kwargs)
                at_work = recorder()
                return made if at_work is None else at_work.make(made, make is not np.empty)

        setattr(self, name, value)
        return value

    def asarray(self, x: Any, dtype: Any = None) -> Any:
        """Return x as an array that is recorded."""
        at_work = recorder()
        if at_work is None:
            return np.asarray(plain(x), dtype)
        if not isinstance(x, Tracer):
            x = at_work.make(np.array(x, dtype))
        return x if dtype is None else x.astype(dtype, copy=False)

    array = asarray

    def in_blocks(self, function: Callable[..., Any], *arrays: Any) -> Any:
        """Return ``function(self, *arrays)``: passes cut it into tiles."""
        return Backend.in_blocks(self, function, *arrays)

    def into_blocks(self, function: Callable[..., Any], *arrays: Any) -> Any:
        """Return what ``function(self, out, *arrays)`` writes: passes cut it into tiles."""
        return Backend.into_blocks(self, function, *arrays)

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        """Return ``a @ b``, recorded as one call."""
        return np.matmul(a, b, out=out)

    def each(self, items: Any, function: Callable[[Any], Any], take: bool = True) -> None:
        """Call a function for each of some tiles, on this thread: another is not recorded."""
        Backend.each(self, items, function)

    def ascontiguousarray(self, x: Any) -> Any:
        """Return x, or a copy in row-major order."""
        return x if x.flags.c_contiguous else x.copy()

    def quietly(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return ``function(*args)``: a recording is quiet as a whole."""
        return function(*args)


TRACING = TracingBackend()
BACKENDS[Tracer] = TRACING
assert TRACING.name == NUMPY.name
