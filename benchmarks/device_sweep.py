"""Each op on the CPU and on a device: how far apart, what a call costs, and from what size on the
device is ahead.

The distance is the largest of the outputs and gradients, in ulp of the largest number of each.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.clock import run_for
from benchmarks.libraries import library, settle, waiting
from benchmarks.op_calls import draw, invoke, layout
from benchmarks.op_sweep import floating, rows

RANDOM = {"dropout", "dropout1d", "dropout2d", "alpha_dropout"}  # a generator for each backend


@dataclass(frozen=True)
class Line:
    """An op on both devices.

    Attributes
    ----------
    ulp : float or None
        The largest distance at the largest size; None for an op that draws random numbers.
    seconds : dict
        Of the forward by device and size; a device is waited for.
    """

    op: str
    ulp: float | None
    seconds: dict[str, dict[int, float]]

    def ahead_from(self, device: str) -> int | None:
        """Return the least size from which the device is faster at every larger one."""
        sizes = sorted(self.seconds["cpu"])
        found = None
        for size in reversed(sizes):
            if self.seconds[device][size] >= self.seconds["cpu"][size]:
                break
            found = size
        return found


def measure(names: Sequence[str], sizes: Sequence[int], device: str, seconds: float) -> list[Line]:
    """Compare and time ops on the CPU and on a device, in turns.

    Raises
    ------
    SystemExit
        There is no op of one of the names.
    """
    lib, known = library("minigrad"), rows()
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no op {name!r} to measure; there are: {', '.join(known)}")
    found = []
    for name in names or known:
        times: dict[str, dict[int, float]] = {"cpu": {}, device: {}}
        for size in sizes:
            for place in times:
                step = forward(lib, known[name], size, place)
                step()
                times[place][size] = statistics.median(run_for(step, seconds))
        ulp = None
        if name not in RANDOM:
            here, there = (results(lib, known[name], max(sizes), p) for p in ("cpu", device))
            ulp = max((distance(a, b) for a, b in zip(here, there, strict=True)), default=0.0)
        found.append(Line(name, ulp, times))
    settle(lib, "cpu")
    return found


def forward(lib: Any, row: Any, size: int, device: str) -> Callable[[], Any]:
    """Return a call of an op that waits for its device."""
    settle(lib, device)
    wait = waiting(lib, device)
    call = layout(row, size)
    assert call is not None
    values = draw(lib, row, call)

    def step() -> Any:
        y = invoke(row.function, row, call, values)
        wait()
        return y

    return step


def results(lib: Any, row: Any, size: int, device: str) -> list[np.ndarray]:
    """Return an op's first floating output and its gradients, as arrays of the host."""
    settle(lib, device)
    call = layout(row, size)
    assert call is not None
    values = draw(lib, row, call)
    output = floating(invoke(row.function, row, call, values))
    if output is None:
        return []
    found = [output]
    if output.requires_grad:
        drawn = np.random.default_rng(0).standard_normal(tuple(output.shape))
        output.backward(lib.tensor(drawn.astype(np.float32)))
        leaves = [v for v in values if getattr(v, "requires_grad", False)]
        found += [leaf.grad for leaf in leaves if leaf.grad is not None]
    return [x.detach().cpu().numpy() for x in found]


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest distance in ulp of the largest finite number; infinite if one has none."""
    finite = np.isfinite(a)
    if a.shape != b.shape or (finite != np.isfinite(b)).any():
        return math.inf
    if not finite.any():
        return 0.0
    ulp = np.spacing(np.abs(a[finite]).max().astype(np.float32))
    return float(np.abs(a[finite].astype(np.float64) - b[finite]).max() / ulp)


def table(lines: Sequence[Line], device: str) -> str:
    """Return the text: an op a line, then the medians."""
    smallest = min(lines[0].seconds["cpu"])
    largest = max(lines[0].seconds["cpu"])
    head = f"{'op':30}{'ulp apart':>10}{'cpu us':>10}{device + ' us':>10}{'ahead from':>12}"
    text = [f"{head}{f'speed-up at {largest:,}':>24}"]
    for line in lines:
        cpu, there = line.seconds["cpu"], line.seconds[device]
        ulp = "random" if line.ulp is None else f"{line.ulp:.1f}"
        size = line.ahead_from(device)
        ahead = "never" if size is None else f"{size:,}"
        text.append(
            f"{line.op:30}{ulp:>10}{cpu[smallest] * 1e6:>10.1f}{there[smallest] * 1e6:>10.1f}"
            f"{ahead:>12}{cpu[largest] / there[largest]:>24.2f}"
        )
    medians = [statistics.median(x.seconds[d][smallest] for x in lines) for d in ("cpu", device)]
    costs = "".join(f"{m * 1e6:>10.1f}" for m in medians)
    text.append(f"{f'median of a call of {smallest:,}':40}{costs}")
    worst = max((x for x in lines if x.ulp is not None), key=lambda x: x.ulp or 0.0)
    text.append(f"furthest apart: {worst.op}, {worst.ulp:.1f} ulp of the result's scale")
    return "\n".join(text)
