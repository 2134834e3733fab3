"""Does the cost of one op depend on the size of the graph? Long chains and wide sums."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def chain(length: int) -> Callable[[], None]:
    """Return a run of forward and backward through a chain of ``length`` additions."""
    import minigrad as mg

    x = mg.ones(4, requires_grad=True)
    v = mg.ones(4)

    def run() -> None:
        y = x
        for _ in range(length):
            y = y + 1.0
        y.backward(v)
        x.grad = None

    return run


def wide(width: int) -> Callable[[], None]:
    """Return a run through ``width`` products of one tensor, summed: a node with many consumers."""
    import minigrad as mg

    x = mg.ones(4, requires_grad=True)
    v = mg.ones(4)

    def run() -> None:
        h = x + 0.0
        parts = [h * 2.0 for _ in range(width)]
        while len(parts) > 1:
            parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)] + (
                [parts[-1]] if len(parts) % 2 else []
            )
        parts[0].backward(v)
        x.grad = None

    return run


def measure(rounds: int = 7) -> dict[str, float]:
    """Return the microseconds for one op, forward and backward, of each graph, interleaved."""
    cases = {
        "chain of 1,000": (chain(1_000), 1_000),
        "chain of 100,000": (chain(100_000), 100_000),
        "fan of 4,000": (wide(4_000), 8_000),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (run, ops) in cases.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) / ops * 1e6)
    return {name: statistics.median(t) for name, t in times.items()}
