"""`capture`: record a function once for each kind of call, and replay it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

from minigrad.backend import NUMPY, Backend, get_num_threads
from minigrad.engine.errors import user_line
from minigrad.engine.modes import MODE, PROFILES
from minigrad.engine.mutation import changed, marker
from minigrad.engine.recording import RECORDERS, CaptureError
from minigrad.engine.tensor import Leaf, Tensor, wrap
from minigrad.replay.arguments import Match, backend_for, key_of, mapped, matcher, swapped
from minigrad.replay.checks import (
    Check,
    all_of,
    array_check,
    grad_check,
    module_check,
    referred,
)
from minigrad.replay.gpu import recorder_for
from minigrad.replay.ir import INPUT, TEMP, View
from minigrad.replay.passes import PASSES
from minigrad.replay.program import Program
from minigrad.replay.quiet import quietly
from minigrad.replay.recorder import Elsewhere
from minigrad.replay.tracer import PLAIN, plain

_MANY = 8  # recordings in a row, none of which could be replayed


def capture(
    function: Callable[..., Any] | None = None,
    *,
    passes: Sequence[str] | None = None,
    limit: int = 16,
    threads: int | None = None,
    graph: bool = False,
) -> Any:
    """Record a function's calls as flat programs, and replay these without Python for each op.

    The function may do anything with Tensors, modules, optimisers and generators: a prediction, or
    a whole training step with backward and the optimiser's update. The first call with
    arguments of some kind runs it and records what it does; later ones of this kind repeat the
    same calls of NumPy, on buffers that stay allocated. The result is the eager one, bit for bit.
    On a GPU they are CuPy's, and each chain of elementwise calls is one generated kernel; a sum
    that ends a chain may be added up in another order.

    Parameters
    ----------
    function : callable
        What to capture. Without it, a decorator is returned.
    passes : sequence of str, optional
        The passes to run, of ``minigrad.replay.PASSES``; all by default.
    limit : int
        How many programs are kept; the one not used for longest goes first.
    threads : int, optional
        How many threads may share large work: tiles of elementwise functions and of convolutions,
        rows of large products, and branches that do not depend on each other, where an estimate
        says that it pays. While such a program runs, NumPy's BLAS is kept to one thread, so that
        the cores have one owner. By default as many as `minigrad.set_num_threads` says: 1, if it
        was not used. No bit depends on their number, but for what BLAS rounds otherwise in parts
        of a large product than in the whole.
    graph : bool
        On a GPU, launch stretches of a program as CUDA graphs, from the second replay on. What
        calls Python, draws random numbers or looks at values stays between them; where CUDA does
        not capture a stretch, it is replayed call by call. ``print(program.graphs)`` says which,
        and why. Not yet run on a GPU.

    Returns
    -------
    Captured
        It is called as the function is. ``programs`` has the recorded programs.

    Raises
    ------
    CaptureError
        While recording: a value is read (``item()``, ``if loss > 1``), or the shape of a result
        depends on values. The text says what to do instead. Nothing is left half-recorded.
    TypeError
        An argument is a NumPy array, or cannot be compared with those of other calls.

    Notes
    -----
    *A program stands for* the shapes, dtypes, strides and ``requires_grad`` of the Tensors among
    the arguments, the values of all other arguments, the gradient mode and the default dtype. With
    another kind of call the function is recorded anew. It is also recorded anew if a parameter has
    got another array (``p.data = ...``, ``module.to(...)``), a module that it calls another
    setting (``train()``, ``eval()``, a new submodule), or a variable that its text names another
    value. Other Python state is read only while recording.

    *At a replay* parameters, buffers and gradients are read and written in place. Random numbers
    are drawn anew, from the same generators in the same order as eagerly. Schedules and gradient
    clipping are called again. An optimiser's update stands in the program, call by call; its
    numbers are worked out anew, so step counts and learning rates go on (an optimiser of your own
    is called again as a whole, unless it says `minigrad.optim.straight.by_numbers`).
    ``.grad`` of a parameter is, after a replay, what it would be after an eager call; its memory
    belongs to the program, and the next replay writes to it. Tensors that are returned are
    fresh copies, without a graph. Python around the ops, such as a ``print``, is not repeated.

    Inside another captured function, and under `detect_anomaly`, the function simply runs.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> @mg.capture
    ... def gradient(x):
    ...     w.grad = None
    ...     ((w * x).tanh().sum()).backward()
    ...     return w.grad
    >>> [gradient(mg.tensor([0.1, s])).tolist()[1] for s in (0.2, 0.3)]
    [0.1711, 0.2134]
    """
    if function is None:
        return lambda f: capture(f, passes=passes, limit=limit, threads=threads, graph=graph)
    if not callable(function):
        raise TypeError(f"capture takes a function, not {type(function).__name__}")
    names = list(PASSES) if passes is None else list(passes)
    unknown = [n for n in names if n not in PASSES]
    if unknown:
        raise ValueError(f"there is no pass {unknown[0]!r}; there are: {', '.join(PASSES)}")
    if limit < 1 or (threads is not None and threads < 1):
        raise ValueError(f"limit={limit} and threads={threads} must be at least 1")
    return Captured(function, [n for n in PASSES if n in names], limit, threads, graph)


class Captured:
    """A function that is replayed; made by `capture`."""

    def __init__(
        self,
        function: Callable[..., Any],
        passes: list[str],
        limit: int,
        threads: int | None,
        graph: bool = False,
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._passes, self._limit, self._threads = passes, limit, threads
        self._graph = graph
        self._recordings: OrderedDict[Any, list[Recording]] = OrderedDict()
        self._leaves: dict[int, Tensor] = {}  # those that earlier recordings have met
        self._last: Recording | None = None  # the one that was replayed last
        self._in_vain = 0
        self._lock = threading.RLock()

    @property
    def programs(self) -> list[Program]:
        """The programs that are kept, the one used last at the end."""
        return [r.program for rs in self._recordings.values() for r in rs]

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """Return the program for a call with these arguments; it must have been made before."""
        key, _ = key_of(args, kwargs)
        if key not in self._recordings:
            raise CaptureError(
                "no call with arguments of this kind was recorded yet; call it first"
            )
        return self._recordings[key][-1].program

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Replay the call, or record it if there is no program for it."""
        mode = MODE.get()
        if mode.recorder is not None or mode.anomaly:
            return self._function(*args, **kwargs)
        with self._lock:
            last = self._last
            if last is not None and last.match is not None and not kwargs:
                found = last.match(mode.grad, args)
                if found is not None and last.holds() and last.applies(found):
                    return last.replay(found)
            return self._look_up(args, kwargs)

    def _look_up(self, args: Any, kwargs: Any) -> Any:
        """Replay the call by any program that is kept, or record it."""
        key, tensors = key_of(args, kwargs)
        recording = self._usable(key, tensors)
        if recording is None:
            self._last = None  # with its memory, before a new one takes as much
            return self._record(key, tensors, args, kwargs)
        self._recordings.move_to_end(key)
        self._last, self._in_vain = recording, 0
        return recording.replay(tensors)

    def _usable(self, key: Any, tensors: list[Tensor]) -> Recording | None:
        """Return a program that may be used; drop one that refers to what was replaced."""
        stale = None
        for recording in self._recordings.get(key, ()):
            if not recording.holds():
                stale = recording
            elif recording.applies(tensors):
                return recording
        if stale is not None:
            self._recordings[key].remove(stale)
        return None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind a captured method to its object, which is an argument like any other."""
        return self if instance is None else lambda *a, **k: self(instance, *a, **k)

    def _record(self, key: Any, tensors: list[Tensor], args: Any, kwargs: Any) -> Any:
        self._in_vain += 1
        if self._in_vain > _MANY:
            raise CaptureError(
                f"{self.__name__} was recorded {_MANY} times in a row and no recording could be "  # type: ignore[attr-defined]
                "replayed: each call has arguments of a new kind, or changes what the program "
                "refers to (an attribute of a module, a variable, a parameter's array). Pass what "
                "changes as a Tensor, keep state in tensors that are changed in place, or do not "
                "capture this function"
            )
        known = {k: (leaf, leaf.grad) for k, leaf in self._leaves.items()}
        options = args, kwargs, self._passes, self._threads, self._graph
        recording = Recording(self._function, tensors, known)
        try:
            result = recording.record(*options)
        except Elsewhere as error:  # without arguments, the first tensor says where
            if error.xp is None:
                raise
            recording = Recording(self._function, tensors, known, error.xp)
            result = recording.record(*options)
        self._leaves.update(recording.leaves)
        self._recordings.setdefault(key, []).append(recording)
        self._recordings.move_to_end(key)
        while len(self.programs) > self._limit:
            oldest = next(iter(self._recordings))
            self._recordings[oldest].pop(0)
            if not self._recordings[oldest]:
                del self._recordings[oldest]
        return result


class Recording:
    """A program, with how the arguments get in, the results out, and when it may be used."""

    program: Program

    def __init__(
        self,
        function: Callable[..., Any],
        tensors: list[Tensor],
        known: dict[int, Any],
        xp: Backend | None = None,
    ) -> None:
        self.function = function
        self.match: Match | None = None
        self.xp = backend_for(tensors) if xp is None else xp
        self.recorder = recorder_for(known, self.xp)
        self.tensors = tensors
        self.slots: list[Any] = []
        self.inner: list[Tensor] = []

    # ---- recording ------------------------------------------------------------------------------

    def record(
        self, args: Any, kwargs: Any, passes: list[str], threads: int | None, graph: bool
    ) -> Any:
        """Call the function, recording; return its result."""
        recorder = self.recorder
        self.match = matcher(args, kwargs)
        twins: dict[int, Tensor] = {}
        for t in self.tensors:
            slot = t._array.copy(order="K")
            self.xp.take_range(slot, t._array)
            recorder.view(slot, INPUT)
            self.slots.append(slot)
            inner = wrap(recorder.tracer(slot), None)
            inner._node = Leaf(inner) if t._node is not None else None
            self.inner.append(inner)
            twins[id(t)] = inner
        variables = referred(self.function)
        RECORDERS.append(recorder)
        token = MODE.set(MODE.get()._replace(recorder=recorder))
        try:
            result = quietly(self.function, *swapped(args, twins), **swapped(kwargs, twins))
            recorder.finish()
        except BaseException:
            recorder.abandon()
            raise
        finally:
            MODE.reset(token)
            RECORDERS.remove(recorder)
        for t in self.inner:
            t._array = plain(t._array)
        self._outputs: list[View] = []
        self._made = {  # leaves that the call made itself: each call makes them anew
            key: leaf
            for key, (leaf, _, _) in recorder.entry.items()
            if key not in recorder.externals and type(leaf._array) in PLAIN
        }
        self._made_grads = {id(leaf.grad) for leaf in self._made.values()}
        self._result = self._template(result, self._outputs)
        self._look_after(variables)
        answer = self._deliver(self.tensors)
        self.program = Program(
            getattr(self.function, "__name__", "function"),
            recorder.instrs,
            recorder.guards,
            self._outputs,
            [
                (recorder.view(a), a.strides == t._array.strides)
                for a, t in zip(self.slots, self.tensors, strict=True)
            ],
            {name: PASSES[name] for name in passes},
            threads or get_num_threads(),
            self.xp,
            graph,
        )
        self._outputs = self.program.outputs
        self._copied = [(k, a) for k, a in enumerate(self.slots) if k not in self.program.bound]
        self.recorder.forget()
        del self.recorder, self.tensors, self._made, self._made_grads
        return answer

    def _template(self, nest: Any, outputs: list[View]) -> Any:
        """Return how to make the result: views to copy, and what is returned as it is."""
        if isinstance(nest, Tensor):
            for k, inner in enumerate(self.inner):
                if nest is inner:
                    return _Argument(k)
            nest._array = plain(nest._array)
            view = self.recorder.view(nest._array)
            own = id(nest) in self._made_grads
            if id(nest) in self.recorder.externals or (view.storage.kept and not own):
                return nest
            if view.storage.kind not in (TEMP, INPUT):  # shows memory from outside
                return wrap(nest._array, None)
            view.array = nest._array
            outputs.append(view)
            return _Output(len(outputs) - 1)
        if type(nest) in PLAIN:
            raise CaptureError("the captured function returned a raw array; return a Tensor")
        return mapped(nest, lambda x: self._template(x, outputs))

    def _look_after(self, variables: list[Check]) -> None:
        """Work out what a replay has to look after."""
        recorder, own = self.recorder, {*(id(t) for t in self.inner), *self._made}
        written = {v.storage for i in recorder.instrs for v in i.outs}
        touched = {recorder.storage(array) for _, array in recorder.externals.values()} & written
        code = getattr(self.function, "__code__", None)
        line = (code.co_filename, code.co_firstlineno) if code else user_line()
        what = f"a replay of {getattr(self.function, '__name__', 'a function')}"
        self._mark = [marker(storage.owner, what, line) for storage in touched]
        self._copied_back = [
            k for k, slot in enumerate(self.slots) if recorder.storage(slot) in written
        ]
        self._ranged = [  # ints that stay as they came
            (slot, k)
            for k, slot in enumerate(self.slots)
            if self.xp is not NUMPY and slot.dtype.kind in "iu" and k not in self._copied_back
        ]
        self._inner_grads = any(t.grad is not None for t in self.inner)
        self.leaves = {k: leaf for k, (leaf, _, _) in recorder.entry.items() if k not in own}
        checks: list[Check] = [array_check(t, a) for t, a in recorder.externals.values()]
        for key, (leaf, first, array) in recorder.entry.items():
            if key in own:
                continue
            start = recorder.known.get(key, (leaf, first))[1]
            if first is not None and id(first) in recorder.externals:
                if key not in recorder.delivered or recorder.delivered[key] is first:
                    checks += [grad_check(leaf, first), array_check(first, array)]
            elif key in recorder.delivered and recorder.delivered[key] is start:
                checks.append(grad_check(leaf, start))
        for module, state, tensors in recorder.modules.values():
            checks.append(module_check(module.__dict__, state, tensors))
        # whether all is as it was recorded: arrays, gradients, modules, variables
        self.holds = all_of([*checks, *variables, *recorder.checks])

    # ---- replaying ------------------------------------------------------------------------------

    def applies(self, tensors: Sequence[Tensor]) -> bool:
        """Take in the arguments; say whether the conditions of the recording hold for them."""
        for k, slot in self._copied:
            slot[...] = tensors[k]._array
        for slot, k in self._ranged:
            self.xp.take_range(slot, tensors[k]._array)
        program = self.program
        self._arrays = [program.apart(tensors[k]._array) for k in program.bound]
        return program.applies is None or program.applies(*self._arrays)

    def replay(self, tensors: Sequence[Tensor]) -> Any:
        """Run the program on the arguments that were taken in."""
        if self._inner_grads:
            for t in self.inner:
                t.grad = None
        if PROFILES and (scope := MODE.get().scope) is not None:
            run = self.program.telling()
            with scope.replay(self.program.name) as tell:
                quietly(run, tell, *self._arrays)
        else:
            quietly(self.program.run, *self._arrays)
        for mark in self._mark:
            mark()
        return self._deliver(tensors)

    def _deliver(self, tensors: Sequence[Tensor]) -> Any:
        """Bring to the caller's tensors what was done to the arguments; return the result."""
        for k in self._copied_back:
            tensors[k]._array[...] = self.slots[k]
            changed(tensors[k]._array, "a captured function")
        if self._inner_grads:
            for t, inner in zip(tensors, self.inner, strict=True):
                if inner.grad is not None:
                    g = inner.grad._array
                    if t.grad is None:
                        t.grad = wrap(g.copy(order="K"), None)
                    else:
                        t.grad._array += g
        return _filled(self._result, self._outputs, tensors)


class _Output:
    """Stands in a result for what the program computed, by its number."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Argument:
    """Stands in a result for the argument with this number."""

    def __init__(self, number: int) -> None:
        self.number = number


def _filled(template: Any, outputs: list[View], tensors: Sequence[Tensor]) -> Any:
    """Return a result, with copies of what the program computed."""
    if type(template) is _Output:
        return wrap(outputs[template.number].array.copy(order="K"), None)
    if type(template) is _Argument:
        return tensors[template.number]
    if isinstance(template, (tuple, list, dict)):
        return mapped(template, lambda x: _filled(x, outputs, tensors))
    return template
