"""Central differences: nudge one number of one tensor, run what is behind it again, and compare."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import is_array
from minigrad.explain.graph import Entry, Graph, evaluate, is_random
from minigrad.explain.numbers import host

AFFORDABLE = 50_000  # runs of an op; above it a walk leaves the differences out by itself
STEP = 1e-6


class Differences:
    """The gradient of the end of a graph by each entry, with no derivative used.

    The graph is run in float64 on the host, whatever the dtype that it was computed in. Random ops
    keep what they drew.
    """

    def __init__(self, graph: Graph, seed: Any) -> None:
        self.graph = graph
        self.seed = np.asarray(host(seed), dtype=np.float64)
        self.values: dict[Entry, Any] = {}
        self.behind: dict[Entry, list[Entry]] = {}
        self.known = all(self._run(entry) for entry in graph.entries)

    def _run(self, entry: Entry) -> bool:
        if entry.op is not None and not is_random(entry.op):
            value = self._evaluate(entry, self.values)
        else:
            value = entry.value
        if value is None:
            return False
        self.values[entry] = _float64(host(value))
        return True

    def _evaluate(self, entry: Entry, values: dict[Entry, Any]) -> Any:
        wide = Entry("op", entry.op, operands=entry.operands, options=_wide_options(entry))
        wide.operands = [host(x) for x in entry.operands]
        return evaluate(wide, lambda e: values.get(e, self.values.get(e)))

    def cost(self, entries: list[Entry]) -> int:
        """Return how many ops would have to be run."""
        consumers = self.graph.consumers()
        for entry in entries:
            reached = {entry}
            behind = []
            for later in self.graph.entries:
                if later.op is None or is_random(later.op):
                    continue
                if any(source in reached for source in later.sources()):
                    reached.add(later)
                    behind.append(later)
            self.behind[entry] = behind if consumers[entry] else []
        return sum(2 * self.values[e].size * len(self.behind[e]) for e in entries)

    def of(self, entry: Entry) -> Any:
        """Return the gradient by an entry."""
        x = self.values[entry]
        result = np.empty(x.shape)
        with np.errstate(all="ignore"):  # a value may be infinite
            for place in np.ndindex(x.shape):
                step = STEP * max(1.0, abs(float(x[place])))
                sides = []
                for signed in (step, -step):
                    moved = x.copy()
                    moved[place] += signed
                    sides.append(self._end(entry, moved))
                result[place] = np.sum(self.seed * (sides[0] - sides[1])) / (2 * step)
        return result

    def _end(self, entry: Entry, moved: Any) -> Any:
        values = {entry: moved}
        for later in self.behind[entry]:
            values[later] = _float64(self._evaluate(later, values))
        return values.get(self.graph.root, self.values[self.graph.root])


def _float64(x: Any) -> Any:
    return x.astype(np.float64) if is_array(x) and x.dtype.kind == "f" else x


def _wide_options(entry: Entry) -> tuple[Any, ...] | None:
    """Return an op's options with float64 for every floating dtype among them."""
    if entry.options is None:
        return None
    return tuple(
        np.dtype(np.float64) if isinstance(x, np.dtype) and x.kind == "f" else x
        for x in entry.options
    )


def agree(gradient: Any, difference: Any, dtype: Any) -> bool:
    """Say whether a gradient is what the differences say, as far as its dtype can tell.

    What is not finite is not compared: a difference of infinities says nothing.
    """
    g = np.asarray(host(gradient), dtype=np.float64)
    tolerance = {8: 1e-5, 4: 1e-3, 2: 5e-2}[dtype.itemsize]
    finite = np.isfinite(difference) & np.isfinite(g)
    g, difference = g[finite], difference[finite]
    scale = max(1e-3, float(np.max(np.abs(difference), initial=0)))
    return bool(np.all(np.abs(g - difference) <= tolerance * scale))
