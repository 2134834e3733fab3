"""Where the engine tells a recorder what it does; `minigrad.replay` has the recorder.

A recorder sees the arithmetic on arrays by itself. What it cannot see, the engine and the floors
above tell it here: that a value is read, that a function changes Python state or draws random
numbers and must be called again at each replay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from minigrad.engine.modes import MODE

F = TypeVar("F", bound=Callable[..., Any])

RECORDERS: list[Any] = []  # those at work, in any thread: mostly none, so asking costs 10 ns


class CaptureError(RuntimeError):
    """A function did something, while it was recorded, that a replay could not repeat."""


def recorder() -> Any:
    """Return the recorder that is at work here, or None."""
    return MODE.get().recorder if RECORDERS else None


def refuse_reading(what: str) -> None:
    """Raise if a value is read while recording: a replay would not read it again."""
    if recorder() is not None:
        raise reading(what)


def reading(what: str) -> CaptureError:
    """Return the error for a value that is read while recording."""
    return CaptureError(
        f"{what} reads a value while mg.capture records. A replay repeats the same operations "
        "whatever the values are, so Python cannot look at them or branch on them. Return the "
        "tensor and read it outside of the captured function; instead of a branch, compute both "
        "sides and choose with mg.where"
    )


def replayed(function: F) -> F:
    """Have a function recorded as one instruction, and called again at each replay.

    For functions that change Python state, draw random numbers or look at values: an optimiser's
    step, a schedule's. A Tensor that it returns must have the same shape each time.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if RECORDERS and (at_work := MODE.get().recorder) is not None:
            return at_work.call(function, args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def checked(function: F) -> F:
    """Have a function that only looks at arrays, and raises or not, called again at each replay."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if RECORDERS and (at_work := MODE.get().recorder) is not None:
            return at_work.check(function, args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def filled_by(
    fill: Callable[..., Any],
    by_rows: Callable[..., bool] = lambda *args: False,
    picks: Callable[..., bool] = lambda *args: False,
) -> Callable[[F], F]:
    """Name, for a kernel or a rule, its form that writes the result into a given array.

    ``fill(out, *args)`` does what the kernel does with ``args``. A captured program that holds the
    kernel as one call uses this form: the result lies where the program wants it without a copy.
    ``by_rows(*args)`` says whether each row of the result (an entry of its first axis) is that of
    the arrays alone, so that several threads may share the rows. ``picks(*args)`` says whether
    it takes ``(g, x, y, ...)``, gives each number of g to one element of x that equals its y, no
    element more than one, and 0 to all others (`minigrad.replay.passes.masks`).
    """

    def mark(function: F) -> F:
        function.filled_by = fill  # type: ignore[attr-defined]
        function.by_rows = by_rows  # type: ignore[attr-defined]
        function.picks = picks  # type: ignore[attr-defined]
        return function

    return mark
