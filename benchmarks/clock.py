"""How long a step takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

GAP = 0.2  # seconds between turns: a BLAS helper thread may spin on after its last product


def run_for(step: Callable[[], Any], seconds: float) -> list[float]:
    """Run steps for as long as that, at least one; return their times."""
    times = []
    end = time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        step()
        now = time.perf_counter()
        times.append(now - start)
        if now >= end:
            return times


def quartiles(times: Sequence[float]) -> tuple[float, float, float]:
    """Return the first quartile, the median and the third."""
    if len(times) == 1:
        return times[0], times[0], times[0]
    first, middle, third = statistics.quantiles(times, n=4, method="inclusive")
    return first, middle, third
