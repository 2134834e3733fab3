"""Events summed up: a row for each op, captured instruction, module and span."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from minigrad.profiler.recorder import BACKWARD, FORWARD, INSTRUCTION, MODULE, SPAN, Event


@dataclass
class Row:
    """What the calls of one op, instruction, module or span took (``peak``: the largest)."""

    name: str
    calls: int = 0
    backward_calls: int = 0
    forward: float = 0.0  # seconds
    backward: float = 0.0
    bytes: int = 0
    peak: int = 0

    @property
    def time(self) -> float:
        """Seconds, forward and backward together."""
        return self.forward + self.backward

    def add_forward(self, seconds: float, event: Event) -> None:
        """Add a call."""
        self.calls += 1
        self.forward += seconds
        self._add(event)

    def add_backward(self, seconds: float, event: Event) -> None:
        """Add a node of backward."""
        self.backward_calls += 1
        self.backward += seconds
        self._add(event)

    def _add(self, event: Event) -> None:
        self.bytes += event.bytes
        self.peak = max(self.peak, event.peak)


ORDERS: dict[str, Callable[[Row], Any]] = {
    "time": lambda row: (-row.time, row.name),
    "forward": lambda row: (-row.forward, row.name),
    "backward": lambda row: (-row.backward, row.name),
    "calls": lambda row: (-row.calls - row.backward_calls, row.name),
    "bytes": lambda row: (-row.bytes, row.name),
    "peak": lambda row: (-row.peak, row.name),
    "name": lambda row: row.name,
}


def _sorted(rows: Iterable[Row], sort_by: str) -> list[Row]:
    if sort_by not in ORDERS:
        raise ValueError(f"sort_by is one of {', '.join(ORDERS)}, not {sort_by!r}")
    return sorted(rows, key=ORDERS[sort_by])


def op_rows(events: Iterable[Event], sort_by: str) -> list[Row]:
    """Return one row an op: times without the events inside, so that they add up."""
    rows: dict[str, Row] = {}
    for e in events:
        if e.kind == FORWARD:
            rows.setdefault(e.name, Row(e.name)).add_forward(e.own / 1e9, e)
        elif e.kind == BACKWARD:
            rows.setdefault(e.name, Row(e.name)).add_backward(e.own / 1e9, e)
    return _sorted(rows.values(), sort_by)


def instruction_rows(events: Iterable[Event], sort_by: str) -> list[Row]:
    """Return one row an instruction of a captured program: times without the events inside."""
    rows: dict[str, Row] = {}
    for e in events:
        if e.kind == INSTRUCTION:
            rows.setdefault(e.name, Row(e.name)).add_forward(e.own / 1e9, e)
    return _sorted(rows.values(), sort_by)


def module_rows(events: Iterable[Event], sort_by: str) -> list[Row]:
    """Return one row a module, with all that its parts took.

    Backward is what the nodes took that the module, or a part of it, made in its forward.
    """
    rows: dict[str, Row] = {}
    later = []
    for e in events:
        if e.kind == MODULE:
            rows.setdefault(e.name, Row(e.name)).add_forward(e.duration / 1e9, e)
        elif e.kind == BACKWARD and e.module:
            later.append(e)
    for e in later:
        parts = e.module.split(".")
        for n in range(1, len(parts) + 1):
            row = rows.get(".".join(parts[:n]))
            if row is not None:
                row.add_backward(e.own / 1e9, e)
    return _sorted(rows.values(), sort_by)


def span_rows(events: Iterable[Event], sort_by: str) -> list[Row]:
    """Return one row a span's name."""
    rows: dict[str, Row] = {}
    for e in events:
        if e.kind == SPAN:
            rows.setdefault(e.name, Row(e.name)).add_forward(e.duration / 1e9, e)
    return _sorted(rows.values(), sort_by)
