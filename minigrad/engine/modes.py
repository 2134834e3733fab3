"""Modes: is the tape on, are NaNs hunted. Local to a thread and to an async task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple, Protocol, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Scope(Protocol):
    """What the profiler is told (`minigrad.profiler`): what begins, and how to go on."""

    def run_op(self, op: Any, inputs: Any, attrs: Any, run: Callable[..., Any]) -> Any:
        """Run an op: ``run(op, inputs, attrs)``."""

    def call_module(self, module: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a module: ``run(*args, **kwargs)``."""

    def backward(self) -> AbstractContextManager[Any]:
        """Return the context of a whole backward."""

    def node(self, node: Any) -> None:
        """Note that backward goes on to the next node; what was begun before it has ended."""

    def replay(self, name: str) -> AbstractContextManager[Callable[[str, int], None]]:
        """Return the context of a captured program's replay.

        It gives what is told of each instruction, before it runs: its name and the bytes it moves.
        """


class Mode(NamedTuple):
    """What an op does besides its arithmetic."""

    grad: bool = True  # record ops on the tape
    anomaly: bool = False  # look for NaN and infinity after each op, forward and backward
    scope: Scope | None = None  # where the profiler is: inside which module, or in backward
    recorder: Any = None  # what records the ops for `minigrad.replay`
    watched: bool = False  # whether anomaly or scope is on: the one that each op looks at


MODE: ContextVar[Mode] = ContextVar("minigrad_mode", default=Mode())  # noqa: B039 (immutable)


PROFILES: list[Any] = []  # those that are on, in any thread: mostly none, so asking costs 10 ns


class _Switch:
    """Change some fields of the mode inside a ``with`` block, or inside a decorated function."""

    def __init__(self, **change: Any) -> None:
        self._change = change
        self._tokens: list[Any] = []

    def __enter__(self) -> None:
        self._tokens.append(MODE.set(MODE.get()._replace(**self._change)))

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with _Switch(**self._change):
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]


def no_grad() -> _Switch:
    """Record nothing: for evaluation and for updating parameters. A context or a decorator.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> with mg.no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """
    return _Switch(grad=False)


def enable_grad() -> _Switch:
    """Record again inside a `no_grad` block."""
    return _Switch(grad=True)


def set_grad_enabled(mode: bool) -> _Switch:
    """`enable_grad` or `no_grad`, by a flag."""
    return _Switch(grad=bool(mode))


def backward_mode(create_graph: bool) -> AbstractContextManager[Any]:
    """Return the mode that a whole backward runs in; under the profiler it is an event."""
    switch = _Switch(grad=create_graph)
    if PROFILES and (scope := MODE.get().scope) is not None:
        return _both(switch, scope.backward())
    return switch


@contextmanager
def _both(
    first: AbstractContextManager[Any], second: AbstractContextManager[Any]
) -> Iterator[None]:
    with first, second:
        yield


def is_grad_enabled() -> bool:
    """Say whether ops are being recorded here."""
    return MODE.get().grad


def detect_anomaly() -> _Switch:
    """Stop at the first op that makes a NaN or an infinity, forward or backward.

    The error names the op, the ranges of its inputs and the line that created it. Nothing is
    looked at, and nothing costs time, while this is off.

    Examples
    --------
    >>> import minigrad as mg
    >>> with mg.detect_anomaly():
    ...     mg.log(mg.tensor([1.0, 0.0]))
    Traceback (most recent call last):
    ...
    minigrad.engine.errors.AnomalyError: log made 1 infinity among 2 values ...
    """
    return _Switch(anomaly=True, watched=True)
