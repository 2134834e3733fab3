"""What the engine tells the profiler becomes events: one for each op, node, module and pass.

A `Frame` is an event that has begun. The innermost one is the mode's ``scope`` (see
`minigrad.engine.modes`), so each thread and each async task has its own chain of them, and what
raises leaves the mode as it was.
"""

from __future__ import annotations

import math
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from minigrad.backend import backend_of, is_array
from minigrad.engine.modes import MODE

FORWARD, BACKWARD, MODULE, PASS, SPAN = "forward", "backward", "module", "pass", "span"
REPLAY, INSTRUCTION = "replay", "instruction"  # of a captured program


class Event(NamedTuple):
    """Something that took time.

    Parameters
    ----------
    name : str
        Of the op; the path of the module; "backward" of a whole one; of the captured function; of
        that, the instruction's number in its program, and what it does; or of the span.
    kind : str
        "forward" and "backward" of an op, "module", "pass" (a whole backward), "replay" (of a
        captured function), "instruction" (of its program), or "span".
    module : str
        The path of the innermost module; in backward, of the module that ran the op forward.
    start, duration, own : int
        Nanoseconds: since the profile began, in all, and without the events inside.
    bytes : int
        What was read and written: of an op's forward its operands and result (0 if that is a
        view), of its backward the gradient, the saved values that are read and the operands'
        gradients; of an instruction its operands and results; else what the events inside have.
    peak : int
        The bytes that were held at most, beyond those held when it began (0 without memory).
    thread : int
        The thread's identity.
    """

    name: str
    kind: str
    module: str
    start: int
    duration: int
    own: int
    bytes: int
    peak: int
    thread: int


class Recording:
    """The events of one profile, and the names of the modules that it has seen."""

    def __init__(self, memory: bool) -> None:
        self.memory = memory
        self.events: list[Event] = []
        self.began = time.perf_counter_ns()
        self._roots: dict[int, tuple[Any, str]] = {}  # the module is kept, so that its id is its

    def root_name(self, module: Any) -> str:
        """Return the name of a module that is called by no other: its class, and which one."""
        if id(module) not in self._roots:
            kind = type(module).__name__
            same = sum(type(m).__name__ == kind for m, _ in self._roots.values())
            self._roots[id(module)] = module, f"{kind}#{same + 1}" if same else kind
        return self._roots[id(module)][1]


class Frame:
    """An event that has begun."""

    def __init__(
        self,
        recording: Recording,
        parent: Frame | None,
        kind: str,
        name: str,
        module: str,
        paths: dict[int, str],
    ) -> None:
        self.recording, self.parent = recording, parent
        self.kind, self.name, self.module = kind, name, module
        self.paths = paths  # of the parts of the modules that are running, by their ids
        self.bytes = self.inside = self.held = self.peak = 0
        self.part: Frame | None = None  # of a backward or a replay: the node, the instruction
        if recording.memory:
            self.held, peak = tracemalloc.get_traced_memory()
            if parent is not None:
                parent.peak = max(parent.peak, peak)
            tracemalloc.reset_peak()
        self.start = time.perf_counter_ns()

    def end(self) -> Event:
        """Note the event, unless it is the whole profile, and give what it took to its parent."""
        duration = time.perf_counter_ns() - self.start
        parent, recording = self.parent, self.recording
        peak = 0
        if recording.memory:
            self.peak = max(self.peak, tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
            peak = max(self.peak - self.held, 0)
        if parent is not None:
            parent.peak = max(parent.peak, self.peak)
            parent.inside += duration
            parent.bytes += self.bytes
        event = Event(
            self.name, self.kind, self.module, self.start - recording.began, duration,
            duration - self.inside, self.bytes, peak, threading.get_ident(),
        )  # fmt: skip
        if parent is not None:
            recording.events.append(event)
        return event

    def _begin(self, kind: str, name: str, module: str | None = None) -> Frame:
        path = self.module if module is None else module
        return Frame(self.recording, self, kind, name, path, self.paths)

    # ---- what the engine calls (`minigrad.engine.modes.Scope`) --------------------------------

    def run_op(self, op: Any, inputs: Any, attrs: Any, run: Callable[..., Any]) -> Any:
        """Run an op."""
        frame = self._begin(FORWARD, op.name)
        try:
            y = run(op, inputs, attrs)
            operands = [getattr(x, "_array", x) for x in inputs]
            if not (op.view and _shares(y._array, operands[0])):
                frame.bytes = _size(operands) + _size(y._array)
            if y._node is not None:
                y._node.module = self.module
        finally:
            frame.end()
        return y

    def call_module(self, module: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a module."""
        path, paths = self.paths.get(id(module)), self.paths
        if path is None:  # no part of one that is running
            path = self.recording.root_name(module)
            parts = module.named_modules(prefix=path)
            paths = {**paths, **{id(part): name for name, part in parts}}
        frame = Frame(self.recording, self, MODULE, path, path, paths)
        with frame.as_scope():
            return run(*args, **kwargs)

    @contextmanager
    def backward(self) -> Iterator[None]:
        """Run a whole backward, whose nodes call `node`."""
        frame = self._begin(PASS, "backward")
        with frame.as_scope():
            try:
                yield
            finally:
                frame.end_part()

    def node(self, node: Any) -> None:
        """Go on to the next node of backward."""
        self.end_part()
        moved = _moved(node)
        self._go_on(self._begin(BACKWARD, node.op.name, node.module), moved)

    @contextmanager
    def replay(self, name: str) -> Iterator[Callable[[str, int], None]]:
        """Run a captured program, which calls what it gets before each instruction."""
        frame = self._begin(REPLAY, name)

        def tell(what: str, moved: int) -> None:
            frame.end_part()
            frame._go_on(frame._begin(INSTRUCTION, f"{name} {what}"), moved)

        with frame.as_scope():
            try:
                yield tell
            finally:
                frame.end_part()

    def _go_on(self, part: Frame, moved: int) -> None:
        self.part, part.bytes = part, moved
        MODE.set(MODE.get()._replace(scope=part))

    def end_part(self) -> None:
        """End the node or the instruction that this is at."""
        if self.part is not None:
            self.part.end()
            self.part = None

    @contextmanager
    def as_scope(self) -> Iterator[None]:
        """Be the innermost frame in a block, and end with it."""
        token = MODE.set(MODE.get()._replace(scope=self, watched=True))
        try:
            yield
        finally:
            MODE.reset(token)
            self.end()


def _size(value: Any) -> int:
    """Return the bytes of the arrays in a value."""
    if isinstance(value, (tuple, list)):
        return sum(_size(v) for v in value)
    return int(value.nbytes) if is_array(value) else 0


def _moved(node: Any) -> int:
    """Return the bytes of a node's gradient, of what its rules read, and of what they return."""
    if node.saved is None:  # backward is about to refuse it
        return 0
    plan, saved = node.plan, (*node.saved, None)  # None is where `shared` comes
    picks = [step.pick for step in plan.steps]
    read = [value for pick in (*picks, plan.shared) if pick is not None for value in pick(saved)]
    ends = [node, *(node.parents[step.operand] for step in plan.steps)]
    size = sum(math.prod(end.shape) * end.dtype.itemsize for end in ends)
    return size + _size(list({id(value): value for value in read}.values()))


def _shares(y: Any, x: Any) -> bool:
    """Say whether a result lies in its operand's memory."""
    xp = backend_of(y)
    return is_array(x) and xp is backend_of(x) and xp.owner(y) is xp.owner(x)


class _Tracing:
    """tracemalloc is one for the process: started by the first profile, stopped by the last."""

    def __init__(self) -> None:
        self._lock, self._users, self._ours = threading.Lock(), 0, False

    def start(self) -> None:
        with self._lock:
            if self._users == 0:
                self._ours = not tracemalloc.is_tracing()
                if self._ours:
                    tracemalloc.start()
            self._users += 1

    def stop(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._ours:
                tracemalloc.stop()


TRACING = _Tracing()
