"""Mutation safety: one clock, instead of a version counter on every tensor.

Every in-place change ticks the clock and leaves a record: whose memory, which bytes, what did it,
on which line of the user's code. A node of the graph keeps only the clock's reading at its
creation. In backward, a node older than the last change looks into the records: if memory that it
saved has been changed since, its derivative would be wrong, and it raises. So recording an op
costs one integer, and changes to other rows of one buffer do not disturb it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.backend import backend_of, is_array
from minigrad.engine.errors import Line, MutationError, show_line, user_line

if TYPE_CHECKING:
    from minigrad.engine.op import Node
    from minigrad.engine.tensor import Tensor


class Change(NamedTuple):
    """An in-place change: when, what did it, on which line."""

    time: int
    op: str
    line: Line


class _Clock:
    def __init__(self) -> None:
        self.time = 0  # of the last change
        self.recorded = 0  # of the last change that is on the tape


CLOCK = _Clock()
Spans = dict[tuple[int, int], Change]  # of bytes, each with its last change


class _Record(NamedTuple):
    """What was done to one array's memory; changes on the tape are kept apart as well."""

    owner: weakref.ref[Any]  # removes the record
    spans: Spans
    recorded: Spans


_changes: dict[int, _Record] = {}  # by the id of the memory's owner
_LOCK = threading.RLock()  # two changes in two threads must not get the same time
_MANY_SPANS = 512  # of one owner; beyond it they are joined, which can only report too much


def changed(array: Any, op: str, *, recorded: bool = False) -> None:
    """Note that ``array``'s memory was changed in place by ``op``."""
    xp = backend_of(array)
    xp.forget_range(array)
    owner = xp.owner(array)
    key = id(owner)
    span = xp.byte_bounds(array)
    line = user_line()
    with _LOCK:
        CLOCK.time += 1
        if recorded:
            CLOCK.recorded = CLOCK.time
        if key not in _changes:
            forget = weakref.ref(owner, lambda _: _changes.pop(key, None))
            _changes[key] = _Record(forget, {}, {})
        change = Change(CLOCK.time, op, line)
        _note(_changes[key].spans, span, change)
        if recorded:
            _note(_changes[key].recorded, span, change)


def marker(array: Any, op: str, line: Line) -> Callable[[], None]:
    """Return what notes, each time it is called, that ``op`` changed ``array``'s memory.

    That is what `changed` does, with all prepared that does not change: 0.5 us instead of 3.
    """
    changed(array, op)
    xp = backend_of(array)
    span, record = xp.byte_bounds(array), _changes[id(xp.owner(array))]

    def mark() -> None:
        xp.forget_range(array)
        with _LOCK:
            CLOCK.time += 1
            record.spans[span] = Change(CLOCK.time, op, line)

    return mark


def _note(spans: Spans, span: tuple[int, int], change: Change) -> None:
    if len(spans) >= _MANY_SPANS:
        span = (min(s for s, _ in [*spans, span]), max(e for _, e in [*spans, span]))
        spans.clear()
    spans[span] = change


def change_since(array: Any, time: int, *, recorded: bool = False) -> Change | None:
    """Return a change to ``array``'s memory later than ``time``, if there is one (on the tape)."""
    xp = backend_of(array)
    with _LOCK:
        record = _changes.get(id(xp.owner(array)))
        if record is None or array.size == 0:
            return None
        first, last = xp.byte_bounds(array)
        for (start, end), change in (record.recorded if recorded else record.spans).items():
            if change.time > time and start < last and first < end:
                return change
    return None


def check_saved(node: Node, saved: Iterable[Any]) -> None:
    """Raise if an array that ``node`` saved for its derivative was changed in place since."""
    for array in saved:
        change = change_since(array, node.time) if is_array(array) else None
        if change is not None:
            ran = show_line(node.line) if node.line else "(mg.detect_anomaly() shows the line)"
            fix = "make the change out of place, x = x + y instead of x += y, or change a copy, "
            fix += "x.clone()"
            if change.op.endswith(".step"):
                fix = "run every backward before the optimiser's step, or compute the loss again "
                fix += "after it"
            raise MutationError(
                f"backward of {node.op.name} needs a {array.dtype}{list(array.shape)} array that "
                f"was changed in place by {change.op} after {node.op.name} had saved it\n"
                f"  changed at {show_line(change.line)}\n"
                f"  {node.op.name} ran at {ran}\n"
                f"  fix: {fix}"
            )


def check_view(x: Tensor) -> None:
    """Raise if ``x`` is a view of memory that a recorded in-place change rewrote after it."""
    change = change_since(x._array, x._time, recorded=True)
    if change is not None:
        raise MutationError(
            f"this {x.dtype}{list(x.shape)} tensor is a view, and {change.op} has since changed "
            "the memory in place on the tape, so the view's place in the graph is out of date\n"
            f"  changed at {show_line(change.line)}\n"
            "  fix: take the view again after the change, or take it with .clone() before"
        )
