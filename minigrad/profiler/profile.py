"""Profile: the block that is looked at, and what was seen in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Token
from typing import Self

from minigrad.engine.modes import MODE, PROFILES, Mode
from minigrad.io.atomic import write_atomic
from minigrad.profiler.recorder import SPAN, TRACING, Event, Frame, Recording
from minigrad.profiler.rows import Row, instruction_rows, module_rows, op_rows
from minigrad.profiler.table import show
from minigrad.profiler.trace import chrome_trace


class Profile:
    """Time, calls, bytes and peak memory of the block: ops both ways, modules, captured programs.

    It sees the ops of its own thread or async task, and of what runs in a copy of its context
    (``contextvars.copy_context().run``). While no profile is on, nothing is measured and nothing
    costs time. While one is, each event costs some microseconds, mostly outside the event itself:
    the sum over the ops is nearer to the truth than the total. An op that is made of other ops is
    counted as those. A captured program's replay runs no ops: it is counted by the instructions
    of its program, with their numbers in ``print(program)``; the first profile of a program also
    compiles it for that, outside of the replay. Work outside all these (an optimiser's update)
    has its own line, or a `span`.

    Parameters
    ----------
    memory : bool
        Follow each allocation with tracemalloc, for the peaks. It sees NumPy's arrays, in all
        threads of the process, and no GPU's; small ops take about twice as long under it, so turn
        it off to compare their times.

    Attributes
    ----------
    events : list of Event
        All that was seen, in order of their ends.
    seconds : float
        How long the block took.
    peak : int
        The bytes held at most, beyond those held at the start (0 without ``memory``).

    Raises
    ------
    RuntimeError
        It is begun inside another profile, or for a second time.

    Notes
    -----
    Kernels of a GPU run on after their op has returned: there the times are of the launches.

    Examples
    --------
    >>> import minigrad as mg
    >>> net = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.ReLU(), mg.nn.Linear(8, 3))
    >>> with mg.profile() as p:
    ...     net(mg.ones(5, 4)).sum().backward()
    >>> [(row.name, row.calls, row.backward_calls) for row in p.ops(sort_by="name")]
    [('linear', 2, 2), ('relu', 1, 1), ('sum', 1, 1)]
    >>> [row.name for row in p.modules(sort_by="name")]
    ['Sequential', 'Sequential.0', 'Sequential.1', 'Sequential.2']
    >>> print(p.table(limit=5))  # doctest: +SKIP
    >>> p.trace("step.json")  # doctest: +SKIP
    """

    _whole: Frame  # of the block, and what the mode was around it
    _token: Token[Mode]

    def __init__(self, *, memory: bool = True) -> None:
        if not isinstance(memory, bool):
            raise TypeError(f"memory is True or False, not {memory!r}")
        self.memory = memory
        self.seconds, self.peak = 0.0, 0
        self._recording: Recording | None = None

    def __enter__(self) -> Self:
        if MODE.get().scope is not None:
            raise RuntimeError("profile() inside a profile: use span(name) to mark a part of it")
        if self._recording is not None:
            raise RuntimeError("this profile has its block already; make another: mg.profile()")
        if self.memory:
            TRACING.start()
        self._recording = Recording(self.memory)
        self._whole = Frame(self._recording, None, SPAN, "profile", "", {})
        PROFILES.append(self)
        self._token = MODE.set(MODE.get()._replace(scope=self._whole, watched=True))
        return self

    def __exit__(self, *exc: object) -> None:
        MODE.reset(self._token)
        PROFILES.remove(self)
        whole = self._whole.end()
        self.seconds, self.peak = whole.duration / 1e9, whole.peak
        if self.memory:
            TRACING.stop()

    @property
    def events(self) -> list[Event]:
        """All that was seen, in order of their ends."""
        return [] if self._recording is None else self._recording.events

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Mark a part of the block, for the trace and for the table of spans.

        Raises
        ------
        RuntimeError
            No profile is on here.
        """
        scope = MODE.get().scope
        if not isinstance(scope, Frame) or scope.recording is not self._recording:
            raise RuntimeError(f"span({name!r}) outside the block of its profile")
        frame = Frame(scope.recording, scope, SPAN, name, scope.module, scope.paths)
        with frame.as_scope():
            yield

    def ops(self, sort_by: str = "time") -> list[Row]:
        """Return one row an op; its times are without the ops inside it (see `table`)."""
        return op_rows(self.events, sort_by)

    def instructions(self, sort_by: str = "time") -> list[Row]:
        """Return one row an instruction of the captured programs that were replayed.

        Its name has the captured function, the number of the instruction in its program, and what
        it does, of a fused group all that is in it; sorted by "name", a program is in its order.
        """
        return instruction_rows(self.events, sort_by)

    def modules(self, sort_by: str = "time") -> list[Row]:
        """Return one row a module, its parts included (see `table`)."""
        return module_rows(self.events, sort_by)

    def table(self, sort_by: str = "time", limit: int | None = None) -> str:
        """Return the tables of ops, of captured instructions, of modules and of spans, as text.

        Parameters
        ----------
        sort_by : {"time", "forward", "backward", "calls", "bytes", "peak", "name"}
            The largest first; names from a to z. "time" is forward and backward together.
        limit : int, optional
            At most so many rows a table.

        Raises
        ------
        ValueError
            ``sort_by`` is none of these, or ``limit`` is less than 1.
        """
        return show(self.events, self.seconds, self.peak, self.memory, sort_by, limit)

    def trace(self, path: str | os.PathLike[str]) -> None:
        """Write the events as a Chrome trace, for chrome://tracing or https://ui.perfetto.dev.

        Raises
        ------
        OSError
            The file cannot be written; what stood there before is unchanged.
        """
        write_atomic(path, chrome_trace(self.events))

    def __str__(self) -> str:
        return self.table()
