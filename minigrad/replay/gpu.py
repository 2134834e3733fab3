"""Recording on a GPU: CuPy's calls as instructions.

NumPy's arrays report what is done with them; CuPy's do so through the backend of
`minigrad.backend.cupy_tracing`, and report here. What cannot be followed call by call is recorded
as one: an op that makes an array in a way that is not seen here is run as a whole at each replay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minigrad.backend import BACKENDS, Backend
from minigrad.engine.recording import reading, recorder
from minigrad.replay.ir import LIVE, TEMP, Storage, map_views
from minigrad.replay.recorder import Guard, Recorder, leaves
from minigrad.replay.tracer import PLAIN, DataDependent, plain

_ABOUT_SHAPES = (
    "can_cast", "may_share_memory", "ndim", "result_type", "shape", "shares_memory", "size",
)  # fmt: skip
_READING = (
    "allclose", "argwhere", "array2string", "array_equal", "array_str", "asnumpy", "flatnonzero",
    "nonzero", "unique",
)  # fmt: skip
_FILLED = ("full_like", "ones_like", "zeros_like")
_WRITING = ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask")


@cache
def _tracing(xp: Backend) -> tuple[type, set[str]]:
    """Let tracers of CuPy's arrays be known; return their type, and what takes ``out=``."""
    from minigrad.backend import cupy_tracing

    PLAIN[cupy_tracing.CupyTracer] = xp.ndarray
    BACKENDS[cupy_tracing.CupyTracer] = cupy_tracing.TracingCupyBackend(recorder)
    return cupy_tracing.CupyTracer, cupy_tracing.TAKES_OUT


class GpuRecorder(Recorder):
    """Records CuPy's calls; see the module's text."""

    def __init__(self, known: dict[int, tuple[Any, Any]], xp: Backend) -> None:
        super().__init__(known)
        self.xp = xp
        self.tracer_type, self._takes_out = _tracing(xp)
        self._constants: list[Any] = []  # arrays of the host that calls take

    # ---- memory ---------------------------------------------------------------------------------

    def owner_of(self, array: Any) -> Any:
        return self.xp.owner(array)

    def storage(self, array: Any, kind: str = LIVE) -> Storage:
        if kind == LIVE and self.tracing and id(self.owner_of(array)) not in self.storages:
            raise DataDependent("an array that was made unseen")
        return super().storage(array, kind)

    def resolve(self, nest: Any) -> Any:
        """Return arguments with views in the place of arrays; NumPy's are moved, once."""
        return super().resolve(map_views(nest, self._moved, np.ndarray))

    def _moved(self, array: Any) -> Any:
        """Return an array of the host on the device; the program keeps it."""
        made = self.xp.asarray(array)
        super().storage(made)
        self._constants.append(made)
        return made

    def _beside(self, array: Any, buffer: Any, offset: int) -> Any:
        axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        start = offset // array.itemsize
        stretch = buffer.reshape(-1)[start : start + array.size]
        laid = stretch.reshape([array.shape[a] for a in axes])
        return laid.transpose(sorted(range(array.ndim), key=axes.__getitem__))

    # ---- instructions ---------------------------------------------------------------------------

    def call_of(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run and record one of CuPy's functions."""
        if isinstance(function, self.xp.module.ufunc):
            return self.ufunc(function, "__call__", args, kwargs)
        name = getattr(function, "__name__", "function")
        if function is self.xp.module.matmul:
            name = "matmul"
        if name in self._takes_out:
            return self._with_out(name, function, args, kwargs)
        return self.function(function, args, kwargs)

    def ufunc(self, ufunc: Any, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
        args, options = plain(inputs), plain(kwargs)
        given = options.pop("out", None)
        if len(args) > ufunc.nin:
            args, given = args[: ufunc.nin], args[ufunc.nin]
        given = given[0] if isinstance(given, tuple) else given
        views, options = self.resolve(args), self.resolve(options)
        results = ufunc(*args, **options, **({} if given is None else {"out": given}))
        several = isinstance(results, tuple)
        arrays = list(results) if several else [results]
        outs = [self.view(a, TEMP) for a in arrays]
        name = ufunc.name.removeprefix("cupy_")
        self.add("ufunc" if ufunc.nout == 1 else "kernel", name, ufunc, views, options, outs)
        made = [self.tracer(a) for a in arrays]
        return tuple(made) if several else made[0]

    def _with_out(self, name: str, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run and record a function that can write its result to a given array."""
        args, options = plain(args), plain(kwargs)
        given = options.pop("out", None)
        views, named = self.resolve(args), self.resolve(options)
        result = function(*args, **options, **({} if given is None else {"out": given}))
        if given is None and id(self.owner_of(result)) in self.storages:  # a view: take of a range
            return self.tracer(result)
        self.add("method", name, function, views, named, [self.view(result, TEMP)])
        return self.tracer(result)

    def function(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        name = getattr(function, "__name__", "function")
        if name in _READING:
            raise self.depends(f"cupy.{name}")
        args, kwargs = plain(args), plain(kwargs)
        views, options = self.resolve(args), self.resolve(kwargs)
        results = function(*args, **kwargs)
        if name in _ABOUT_SHAPES:
            return results
        if name in _WRITING:
            if name == "copyto" and set(kwargs) <= {"casting"}:
                self.add("copy", name, np.copyto, views[1:], {}, [views[0]])
            else:
                self.add("write", name, function, views, options, [views[0]])
            return results
        if name == "empty_like" or name in _FILLED:
            return self.make(results, name in _FILLED)
        return self.take_over("function", name, function, views, options, results)

    def take_over(
        self, kind: str, name: str, run: Any, args: Any, kwargs: Any, results: Any,
        *, pure: bool = True,
    ) -> Any:  # fmt: skip
        if any(True for _ in leaves(results, (np.ndarray,))):
            raise reading("a copy to the host")
        return super().take_over(kind, name, run, args, kwargs, results, pure=pure)

    def kernel(self, name: str, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run and record a kernel that writes all its results to given arrays."""
        args, kwargs = plain(args), plain(kwargs)
        views, options = self.resolve(args), self.resolve(kwargs)
        results = function(*args, **kwargs)
        arrays = results if isinstance(results, tuple) else (results,)
        outs = [self.view(a, TEMP) for a in arrays]
        self.add("kernel", name, function, views, options, outs)
        return map_views(results, self.tracer, self.xp.ndarray)

    def whole(self, name: str, function: Any, args: Any, writes: bool) -> Any:
        """Run and record a method of the backend; one that writes changes its first argument."""
        args = plain(args)
        views = self.resolve(args)
        results = function(*args)
        if writes:
            self.add("write", name, function, views, {}, [views[0]])
            return None
        return self.take_over("function", name, function, views, {}, results)

    def change(
        self, name: str, function: Any, p: Any, g: Any, numbers: tuple[Any, ...], state: Any
    ) -> None:
        """Run and record an update: ``function(p, g, numbers, *state)`` changes p and the state."""
        args = plain((p, g, numbers, *state))
        views = self.resolve(args)
        function(*args)
        self.add("write", f"{name}.step", function, views, {}, [views[0], *views[3:]])

    def judge(self, array: Any, test: Callable[[Any], bool]) -> bool:
        """Answer a question about values as `read` does, by a test that a replay asks again."""
        own = plain(array)
        view = self.view(own)
        if view.storage.pure and (instrs := self._slice(view)) is not None:
            answer = test(own)
            self.guards.append(Guard(view, answer, instrs, test))
            return answer
        raise self.depends("a look at values")


def recorder_for(known: dict[int, Any], xp: Backend) -> Recorder:
    """Return a recorder of a backend's calls."""
    return Recorder(known) if xp.name == "numpy" else GpuRecorder(known, xp)
