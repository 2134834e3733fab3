"""The recorder: turns one call of a function into a list of instructions.

It sees each call of NumPy that computes or writes (`minigrad.replay.tracer`), inside the forwards
of ops, inside derivative rules and between them. A forward or a rule that looks at values cannot
be repeated by its parts: it is recorded as one opaque call. The exception is an ``if`` on what
depends on the arguments alone, such as "is a label out of range": it becomes a condition that is
checked before a replay begins; where it comes out otherwise, the call is recorded anew.
"""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad.backend import NUMPY, Backend, backend_of, is_array
from minigrad.engine.errors import describe
from minigrad.engine.modes import MODE
from minigrad.engine.op import Op
from minigrad.engine.recording import CaptureError, reading
from minigrad.engine.tensor import Leaf, Tensor
from minigrad.replay.checks import Check, call_check, module_state
from minigrad.replay.ir import (
    INPUT,
    LIVE,
    TEMP,
    Instr,
    Storage,
    View,
    map_views,
    owner_of,
)
from minigrad.replay.tracer import PLAIN, DataDependent, Tracer, plain

# The shape of what these return depends on values
DATA_SHAPED = ("masked_select", "nonzero")
# What may be computed before a replay to see whether a condition holds
_SHORT, _LITTLE = 12, 1 << 18  # instructions, bytes
_FILLED = (np.empty_like, np.full_like, np.ones_like, np.zeros_like)
_ABOUT_SHAPES = (
    np.can_cast, np.may_share_memory, np.ndim, np.result_type, np.shape, np.shares_memory, np.size,
)  # fmt: skip
_READING = (
    np.allclose, np.argwhere, np.array2string, np.array_equal, np.array_str, np.flatnonzero,
    np.nonzero, np.unique,
)  # fmt: skip
_WRITING = (np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask)
NOTHING = object()
_FOLDED = ("copy", "ufunc", "method", "function")  # kinds that may make a constant


class Guard:
    """A condition on values that the recording went by: what a test says of an array."""

    def __init__(
        self, view: View, expected: bool, instrs: list[Instr], test: Callable[[Any], bool] = bool
    ) -> None:
        self.view, self.expected, self.instrs, self.test = view, expected, instrs, test


class Elsewhere(CaptureError):
    """A tensor is not where the recording is; ``xp`` is its backend if nothing is recorded yet."""

    def __init__(self, text: str, xp: Backend | None) -> None:
        super().__init__(text)
        self.xp = xp


class Recorder:
    """What was recorded so far; see the module's text."""

    xp: Backend = NUMPY
    tracer_type: type = Tracer

    def __init__(self, known: dict[int, tuple[Any, Any]]) -> None:
        self.instrs: list[Instr] = []
        self.storages: dict[int, Storage] = {}  # by the id of the owner, while it lives
        self._watched: dict[int, Any] = {}
        self._count = 0
        self.views: dict[tuple[Any, ...], View] = {}
        self.externals: dict[int, tuple[Tensor, Any]] = {}  # tensors from outside, their arrays
        self.grads: dict[int, tuple[Tensor, Any]] = {}  # leaves: what .grad was at last
        self.entry: dict[int, tuple[Tensor, Any, Any]] = {}  # leaf, .grad (or None), its array
        self.known = known  # leaves of earlier recordings, with .grad at the beginning
        self.guards: list[Guard] = []
        self.delivered: dict[int, Any] = {}  # leaves: what .grad was before the first gradient
        self.modules: dict[int, Any] = {}  # those called, with their state before
        self.gathered: dict[int, Any] = {}  # gradients side by side, by the leaves' buffer
        self.checks: list[Check] = []  # what others want to be so before a replay
        self.stepped: list[Any] = []  # optimisers whose update stands among the instructions
        self.closed = False
        self.scope: list[str] = []  # the op or rule that is being traced
        self.tracing = 0

    def owner_of(self, array: Any) -> Any:
        """Return the array that owns the memory."""
        return owner_of(array)

    @property
    def working(self) -> bool:
        """Whether tracers report to this recorder."""
        return not self.closed and MODE.get().recorder is self

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record nothing inside."""
        token = MODE.set(MODE.get()._replace(recorder=None))
        try:
            yield
        finally:
            MODE.reset(token)

    # ---- memory ---------------------------------------------------------------------------------

    def storage(self, array: Any, kind: str = LIVE) -> Storage:
        """Return the storage of an array; an unknown one is of this kind."""
        owner = self.owner_of(array)
        found = self.storages.get(id(owner))
        if found is None:
            low, high = self.xp.byte_bounds(owner)
            found = Storage(self._count, kind, high - low, low, owner)
            self._count += 1
            self.storages[id(owner)] = found
            self._watched[id(owner)] = weakref.ref(owner, self._forgetting(id(owner)))
        return found

    def _forgetting(self, key: int) -> Callable[[Any], None]:
        """Return what forgets an array that has gone: another may get its id and its memory."""
        storages, watched = self.storages, self._watched

        def forget(_: Any) -> None:
            storages.pop(key, None)
            watched.pop(key, None)

        return forget

    def keep(self, array: Any) -> None:
        """Let the program hold an array that others hold too, and may write to."""
        storage = self.view(array).storage
        storage.kept, storage.constant, storage.owner = True, False, self.owner_of(plain(array))

    def view(self, array: Any, kind: str = LIVE) -> View:
        """Return the view that an array is."""
        array = plain(array)
        storage = self.storage(array, kind)
        offset = self.xp.pointer(array) - storage.start if array.size else 0
        view = View(storage, offset, array.shape, array.strides, array.dtype)
        view = self.views.setdefault(view.place, view)
        if storage.kind != TEMP:
            view.array = array
        return view

    def tracer(self, array: Any) -> Tracer:
        """Return a tracer over a plain array's memory."""
        if type(array) in PLAIN:
            return array
        made = array.view(self.tracer_type)
        made._recorder = self
        return made

    def lift(self, array: Any, tensor: Tensor | None = None) -> Any:
        """Return a tracer for an array that a Tensor holds."""
        if type(array) in PLAIN:
            return array
        if type(array) is not self.xp.ndarray:
            if tensor is not None and is_array(array):
                raise self._elsewhere(tensor)
            return array
        if tensor is not None and self.storage(array).kind == LIVE:
            self.note(tensor, array)
        return self.tracer(array)

    def _elsewhere(self, tensor: Tensor) -> CaptureError:
        """Return the error for a tensor of another library than the one that is recorded."""
        begun = self.instrs or any(s.kind == INPUT for s in self.storages.values())
        return Elsewhere(
            f"a captured function records on {'the CPU' if self.xp is NUMPY else 'a GPU'} and uses "
            f"{describe(tensor)}; a program runs on one device: move it before the call, "
            ".to(device)",
            None if begun else backend_of(tensor._array),
        )

    def note(self, tensor: Tensor, array: Any) -> None:
        """Remember a tensor from outside: a replay is right only while it has this array."""
        self.externals.setdefault(id(tensor), (tensor, array))
        if isinstance(tensor._node, Leaf):
            self.note_leaf(tensor)

    def note_leaf(self, tensor: Tensor) -> None:
        """Remember a leaf, and what its ``.grad`` was when it was first seen."""
        if id(tensor) not in self.entry:
            grad = tensor.grad
            self.entry[id(tensor)] = (tensor, grad, None if grad is None else grad._array)
            self.grads[id(tensor)] = (tensor, grad)

    def deliver(self, leaf: Tensor) -> None:
        """Take note that a gradient is about to be added to a leaf's ``.grad``."""
        self.note_leaf(leaf)
        self.delivered.setdefault(id(leaf), leaf.grad)
        if leaf.grad is not None and type(leaf.grad._array) is self.xp.ndarray:
            self.lift(leaf.grad._array, leaf.grad)

    def make(self, array: Any, fresh: bool = True) -> Tracer:
        """Take in an array that was made out of nothing; each replay begins with its values."""
        view = self.view(array, TEMP)
        if fresh and view.size:
            one = array[(0,) * array.ndim]
            first = one.item() if bool((array == one).all()) else array.copy(order="K")
            self.add("copy", "constant", np.copyto, (first,), {}, [view])
        return self.tracer(array)

    def born(self, tensor: Tensor) -> None:
        """Take in a tensor that was made while recording."""
        if (
            type(tensor._array) is self.xp.ndarray
            and id(self.owner_of(tensor._array)) not in self.storages
        ):
            tensor._array = self.make(tensor._array)

    # ---- instructions ---------------------------------------------------------------------------

    def add(
        self, kind: str, name: str, run: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
        outs: list[View], *, pure: bool = True, template: Any = None,
    ) -> Instr:  # fmt: skip
        """Append an instruction."""
        scope = self.scope[-1] if self.scope else ""
        instr = Instr(kind, name, run, args, kwargs, outs, scope, pure, template=template)
        self.instrs.append(instr)
        clean = pure and all(v.storage.pure for v in instr.reads())
        fixed = pure and kind in _FOLDED and all(v.storage.constant for v in instr.operands())
        for v in outs:
            s = v.storage
            s.constant = fixed and not s.written and s.kind == TEMP and not s.kept and v.whole
            s.written = True
            s.pure = s.pure and clean and s.kind == TEMP
            if s.kind == TEMP and not s.kept and not s.constant:
                s.owner = None  # the program makes its own
        return instr

    def resolve(self, nest: Any) -> Any:
        """Return arguments with views in the place of arrays."""
        return map_views(nest, self.view, self.xp.ndarray)

    def result(self, array: Any) -> Any:
        """Return a new result as an array (NumPy makes scalars of those without axes)."""
        return np.asarray(array) if isinstance(array, np.generic) else array

    def ufunc(self, ufunc: Any, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
        """Run and record a ufunc, or a method of one."""
        args, options = plain(inputs), plain(kwargs)
        given = options.pop("out", None)
        self.resolve(given)  # an array that nobody made while recording is from outside
        if method == "at":
            ufunc.at(*args, **options)
            views = self.resolve(args)
            self.add("write", f"{ufunc.__name__}.at", ufunc.at, views, options, [views[0]])
            return None
        run = ufunc if method == "__call__" else getattr(ufunc, method)
        results = run(*args, **options, **({} if given is None else {"out": given}))
        several = isinstance(results, tuple)
        arrays = [self.result(r) for r in (results if several else (results,))]
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        options = {k: v for k, v in options.items() if not _is_default(k, v)}
        kind = "ufunc" if method == "__call__" else "method"
        # operands first: an unknown array that is also the output is memory from outside
        views, options = self.resolve(args), self.resolve(options)
        outs = [self.view(a, TEMP) for a in arrays]
        self.add(kind, name, run, views, options, outs)
        made = [self.tracer(a) for a in arrays]
        return tuple(made) if several else made[0]

    def function(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run and record another function of NumPy."""
        if function in _READING:
            raise self.depends(f"numpy.{function.__name__}")
        args, kwargs = plain(args), plain(kwargs)
        views, options = self.resolve(args), self.resolve(kwargs)
        given = kwargs.get("out")
        results = function(*args, **kwargs)
        if function in _ABOUT_SHAPES:
            return results
        name = function.__name__
        if function in _WRITING:
            if function is np.copyto and set(kwargs) <= {"casting"}:
                self.add("copy", name, np.copyto, views[1:], {}, [views[0]])
            else:
                self.add("write", name, function, views, options, [views[0]])
            return results
        if function in _FILLED:
            return self.make(results, function is not np.empty_like)
        if given is not None:
            self.add("method", name, function, views, {**options, "out": None}, [self.view(given)])
            self.instrs[-1].kwargs.pop("out")
            return self.tracer(given)
        return self.take_over("function", name, function, views, options, results)

    def method(self, name: str, method: Any, array: Tracer, args: Any, kwargs: Any) -> Any:
        """Run and record a method of an array that may return a copy, or a view."""
        own, args, kwargs = plain(array), plain(args), plain(kwargs)
        if name == "__getitem__":
            (key,) = args
            parts = key if isinstance(key, tuple) else (key,)
            for p in parts:
                if isinstance(p, self.xp.ndarray) and p.dtype.kind == "b":
                    mask = self.storage(p)
                    if mask.kind != LIVE or mask.written:  # else a constant
                        raise self.depends("an index of bools")
            if all(isinstance(p, (int, np.integer)) for p in parts):  # a view, and not a scalar
                return self.tracer(own[(*parts, ...)])
        views = self.resolve((own, *args))
        options = self.resolve(kwargs)
        result = self.result(method(own, *args, **kwargs))
        if id(self.owner_of(result)) in self.storages:
            return array if result is own else self.tracer(result)
        if name in ("copy", "astype", "reshape", "ravel", "flatten"):
            out = self.view(result, TEMP)
            if result.shape == own.shape:
                self.add("copy", name, np.copyto, views[:1], {}, [out])
                return self.tracer(result)
            if result.flags.c_contiguous and not (set(kwargs) - {"shape"}):
                shaped = self.view(result.reshape(own.shape))
                self.add("copy", name, np.copyto, views[:1], {}, [shaped])
                return self.tracer(result)
        return self.take_over("function", name.strip("_"), method, views, options, result)

    def take_over(
        self, kind: str, name: str, run: Any, args: Any, kwargs: Any, results: Any,
        *, pure: bool = True,
    ) -> Any:  # fmt: skip
        """Record a call with whatever it returned; arrays among that are traced from now on."""
        results = map_views(results, np.asarray, np.generic)
        outs: list[View] = []

        def place(array: Any) -> Any:
            if id(self.owner_of(array)) in self.storages:  # a view of what is known
                return NOTHING
            outs.append(self.view(array, TEMP))
            return outs[-1]

        template = map_views(results, place, self.xp.ndarray)
        traced = map_views(results, self.tracer, self.xp.ndarray)
        if kind == "function" and not any(True for _ in leaves(template, (View, type(NOTHING)))):
            raise self.depends(name)  # a plain answer about values
        if outs or not pure:
            self.add(kind, name, run, args, kwargs, outs, pure=pure, template=template)
        return traced

    def write(self, array: Tracer, key: Any, value: Any) -> None:
        """Do and record ``array[key] = value``."""
        own, key, value = plain(array), plain(key), plain(value)
        parts = key if isinstance(key, tuple) else (key,)
        target = self.view(own)
        views = self.resolve((value,))
        if all(p is None or isinstance(p, (int, np.integer, slice, type(...))) for p in parts):
            into = own[key] if ... in parts else own[(*parts, ...)]
            into[...] = value
            # Python writes ``x[key] += y`` back: the sum lies there already
            if into.size and not (isinstance(views[0], View) and views[0] is self.view(into)):
                self.add("copy", "write", np.copyto, views, {}, [self.view(into)])
            return
        own[key] = value
        args = (target, self.resolve(key), views[0])
        self.add("write", "setitem", operator.setitem, args, {}, [target])

    def read(self, array: Tracer, name: str) -> Any:
        """Answer a question about values: a condition, if it depends on the arguments alone."""
        own = plain(array)
        if name == "__bool__" and self.tracing and own.size == 1:
            view = self.view(own)
            if view.storage.pure and (expected := self._slice(view)) is not None:
                self.guards.append(Guard(view, bool(own), expected))
                return bool(own)
        raise self.depends(name.strip("_"))

    def _slice(self, view: View) -> list[Instr] | None:
        """Return the few instructions that a view's values come from, None if not from inputs."""
        wanted, found = {view.storage}, []
        for instr in reversed(self.instrs):
            if any(v.storage in wanted for v in instr.outs):
                if not instr.pure:
                    return None
                found.append(instr)
                if len(found) > _SHORT or sum(v.nbytes for i in found for v in i.outs) > _LITTLE:
                    return None  # it would cost more than it spares
                wanted.update(v.storage for v in instr.reads())
        return found[::-1]

    def depends(self, what: str) -> Exception:
        """Return the exception for a look at values: inside an op it makes the op opaque."""
        return DataDependent(what) if self.tracing else reading(f"{what} of an array")

    # ---- ops and rules --------------------------------------------------------------------------

    def operands(self, inputs: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
        """Return an op's operands as tracers."""
        return [
            self.lift(a, x) if isinstance(x, Tensor) else self.lift(a)
            for a, x in zip(arrays, inputs, strict=True)
        ]

    def forward(self, op: Op) -> Callable[..., Any]:
        """Return an op's forward that records itself, by its parts or as a whole."""
        if op.name in DATA_SHAPED:
            raise _data_shaped(op.name)
        opaque = "generator" in op.attrs
        return lambda xp, *args: self.traced(
            op.name, op.forward, (xp, *args), opaque=opaque, pure=not opaque
        )

    def rule(self, op: Op, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Return a derivative rule that records itself."""
        return lambda *args: self.traced(f"{op.name}'", rule, args)

    def traced(
        self, name: str, run: Any, args: tuple[Any, ...], *, opaque: bool = False, pure: bool = True
    ) -> Any:
        """Run a forward or a rule on tracers; on plain arrays, as one call, if that fails."""
        args = tuple(map_views(a, self.lift, self.xp.ndarray) for a in args)
        mark, before = (len(self.instrs), len(self.guards)), self._count
        self.scope.append(name)
        self.tracing += 1
        try:
            if not opaque:
                try:
                    return run(*args)
                except DataDependent:
                    if name == "index":  # by a mask of bools
                        raise _data_shaped("x[mask]") from None
                    del self.instrs[mark[0] :], self.guards[mark[1] :]
                    for s in list(self.storages.values()):
                        if s.number >= before and s.kind == TEMP:
                            s.owner = None  # nothing is left that writes or reads it
            plainly = [self.xp if hasattr(a, "quietly") else plain(a) for a in args]
            with self.paused():
                results = run(*plainly)
            return self.take_over(
                "opaque", name, run, self.resolve(tuple(plainly)), {}, results, pure=pure
            )
        finally:
            self.scope.pop()
            self.tracing -= 1

    # ---- Python that is called again ------------------------------------------------------------

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function that a replay must call again (see `engine.recording.replayed`)."""
        self.settle_grads()
        # A generator of tensors can be read only once
        args = tuple(list(a) if hasattr(a, "__next__") else a for a in args)
        given = [t for t in leaves((args, kwargs), (Tensor,))]
        for t in given:
            if type(t._array) in PLAIN:
                t._array = plain(t._array)
        seen = [t._array for t in given]
        seen += [g._array for _, g in self.grads.values() if g is not None]
        for array in seen:
            self.keep(array)  # other code sees it
        reads = [self.view(array) for array in seen]
        with self.paused():
            results = function(*args, **kwargs)
        outs: list[View] = []

        def place(t: Tensor) -> Any:
            if id(self.owner_of(t._array)) in self.storages:
                return NOTHING
            outs.append(self.view(t._array, TEMP))
            return outs[-1]

        template = map_views(results, place, Tensor)
        name = getattr(function, "__qualname__", "call")
        run = _bound(function, args, kwargs)
        instr = self.add("python", name, run, (), {}, outs, pure=False, template=template)
        instr.also_reads = reads
        for v in reads:
            v.storage.pure = False
        for s in list(self.storages.values()):
            s.pure = s.pure and s.kind != LIVE
        self.settle_grads()
        return results

    def check(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        """Call a function that looks at arrays and may raise, now and at each replay."""
        args, kwargs = plain(args), plain(kwargs)
        with self.paused():
            function(*args, **kwargs)
        views, options = self.resolve(args), self.resolve(kwargs)
        self.add("write", function.__name__, function, views, options, [], pure=False)

    def repeat(self, name: str, function: Callable[[], None]) -> None:
        """Have a function called again, here, at each replay; it works on numbers, not arrays."""
        self.add("python", name, function, (), {}, [], pure=False)

    def look_after(self, holds: Callable[[], bool]) -> None:
        """Replay only while that says so."""
        self.checks.append(call_check(holds))

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Name what is recorded inside; it is cut to stretches that fit the cache already."""
        self.scope.append(name)
        mark = len(self.instrs)
        try:
            yield
        finally:
            self.scope.pop()
            for instr in self.instrs[mark:]:
                instr.cut = True

    # ---- gradients ------------------------------------------------------------------------------

    def settle_grads(self) -> None:
        """Record what became of the leaves' ``.grad`` since the last look."""
        changes = []
        for key, (leaf, before) in list(self.grads.items()):
            grad = leaf.grad
            if grad is not None and type(grad._array) in PLAIN:
                grad._array = self.plain_of(grad)
            if grad is not None and grad._node is None:
                if grad is not before:
                    self.gather(leaf, grad)
                self.keep(grad._array)
            if grad is not before:
                changes.append((leaf, grad))
                self.grads[key] = (leaf, grad)
        if changes:
            instr = self.add("python", ".grad", _setter(changes), (), {}, [], pure=False)
            instr.also_reads = [self.view(g._array) for _, g in changes if g is not None]

    def gather(self, leaf: Tensor, grad: Tensor) -> None:
        """Put a new gradient where it lies among others as its leaf lies among other leaves.

        So an optimiser whose parameters share a buffer finds their gradients in one as well.
        """
        array, g = plain(leaf._array), grad._array
        owner, source = self.owner_of(array), self.view(g)
        if owner is array or owner.size <= array.size or owner.dtype != array.dtype:
            return
        if source.storage.kind != TEMP or source.storage.kept or g.shape != array.shape:
            return
        buffer = self.gathered.setdefault(id(owner), self.xp.zeros_like(owner))
        place = self._beside(array, buffer, self.xp.pointer(array) - self.storage(owner).start)
        place[...] = g
        self.add("copy", "gather", np.copyto, (source,), {}, [self.view(place, TEMP)])
        grad._array = place

    def _beside(self, array: Any, buffer: Any, offset: int) -> Any:
        """Return the view of a buffer that lies in it as an array does, so many bytes from it."""
        return np.ndarray(array.shape, array.dtype, buffer, offset, array.strides)

    def beside(self, buffer: Any) -> Any:
        """Return the buffer in which the gradients of leaves in this one lie, None if none do."""
        return self.gathered.get(id(self.owner_of(buffer)))

    def plain_of(self, tensor: Tensor) -> Any:
        """Return a tensor's array as a plain one: the very one that it had, if it had one."""
        if id(tensor) in self.externals:
            return self.externals[id(tensor)][1]
        return plain(tensor._array)

    def refuse_data(self) -> None:
        """Refuse an assignment to ``.data``, which no replay would see."""
        raise CaptureError(
            "assignment to .data while mg.capture records: a replay would go on with the old "
            "array. Change the values in place, p.copy_(...) or p -= ... under mg.no_grad()"
        )

    def note_module(self, module: Any) -> None:
        """Remember a module that was called: what it is set to decides what it computes."""
        if id(module) not in self.modules:
            self.modules[id(module)] = (module, *module_state(module))

    def finish(self) -> None:
        """End the recording; arrays that are in use outside become plain ones."""
        self.settle_grads()
        self.closed = True

    def forget(self) -> None:
        """Let go of all arrays; tracers that are still about know this recorder."""
        self.storages.clear()
        self.views.clear()
        self._watched.clear()

    def abandon(self) -> None:
        """End a recording that failed: leave no tracer where others would find it."""
        self.closed = True
        for leaf, _ in self.grads.values():
            if leaf.grad is not None:
                leaf.grad._array = self.plain_of(leaf.grad)
        for tensor, array in self.externals.values():
            if type(tensor._array) in PLAIN:
                tensor._array = array


def _is_default(option: str, value: Any) -> bool:
    """Say whether a ufunc's option has no effect."""
    return value is {"where": True, "keepdims": False, "dtype": None}.get(option, NOTHING)


def _data_shaped(what: str) -> CaptureError:
    return CaptureError(
        f"the shape of what {what} returns depends on values, and a recorded program has fixed "
        "shapes; call it outside of the captured function, or compute with a mask instead, "
        "mg.where(mask, x, 0)"
    )


def _bound(function: Any, args: Any, kwargs: Any) -> Callable[[], Any]:
    return lambda: function(*args, **kwargs)


def _setter(changes: list[tuple[Tensor, Any]]) -> Callable[[], None]:
    def set_grads() -> None:
        for leaf, grad in changes:
            leaf.grad = grad

    return set_grads


def leaves(nest: Any, kinds: tuple[type, ...]) -> Iterator[Any]:
    """Yield what is of some types in nested tuples, lists and dicts."""
    if isinstance(nest, kinds):
        yield nest
    elif isinstance(nest, (tuple, list)):
        for x in nest:
            yield from leaves(x, kinds)
    elif isinstance(nest, dict):
        for x in nest.values():
            yield from leaves(x, kinds)
