"""How the cost of a step grows with the work: exponents fitted on a logarithmic scale."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.clock import GAP, quartiles, run_for
from benchmarks.process import Failed, Process
from benchmarks.workload import load


@dataclass(frozen=True)
class Growth:
    """One size of one workload that is varied, and the exponent that arithmetic alone has."""

    workload: str
    what: str
    values: tuple[int, ...]
    sizes: Callable[[int], dict[str, Any]]
    arithmetic: float  # of the largest term


BATCHES = (64, 128, 256, 512, 1024)
CASES = {
    "W2-batch": Growth("mnist_mlp", "batch", BATCHES, lambda n: {"batch": n}, 1),
    "W4-batch": Growth("cnn", "batch", BATCHES, lambda n: {"batch": n}, 1),
    "W3-width": Growth(
        "wide_mlp", "width", (128, 256, 512, 1024), lambda n: {"widths": (784, n, n, 10)}, 2
    ),
    "W3-depth": Growth(
        "wide_mlp", "depth", (4, 8, 16, 32), lambda n: {"widths": (256,) * n + (10,)}, 1
    ),
    "W5-sequence": Growth(
        "transformer", "sequence", (64, 128, 256, 512), lambda n: {"length": n, "batch": 4}, 2
    ),
    "W6-sequence": Growth("rnn", "sequence", (25, 50, 100, 200), lambda n: {"length": n}, 1),
}


@dataclass(frozen=True)
class Fit:
    """``seconds = c * size ** exponent`` over a range, and how far a point is off at most."""

    exponent: float
    worst: float  # factor between a point and the line

    def __str__(self) -> str:
        return f"exponent {self.exponent:.3f} (points within {100 * (self.worst - 1):.0f}%)"


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> Fit:
    """Return the least-squares line through the logarithms.

    Raises
    ------
    ValueError
        There are fewer than two sizes, or a time is not positive.
    """
    if len(sizes) < 2 or min(seconds) <= 0:
        raise ValueError(f"a fit needs two sizes and positive times, got {sizes} and {seconds}")
    x, y = np.log(sizes), np.log(seconds)
    exponent, constant = np.polyfit(x, y, 1)
    return Fit(float(exponent), float(np.exp(np.abs(y - exponent * x - constant).max())))


def server(case: str, contender: str) -> Callable[[Any], Any]:
    """Return what builds the step of every size once, and gives times for (size, seconds)."""
    growth = CASES[case]
    made = load(growth.workload)
    steps: dict[int, Callable[[], float]] = {}

    def answer(request: tuple[int, float]) -> list[float]:
        value, seconds = request
        if value not in steps:
            steps[value] = made.contenders[contender](**{**made.sizes, **growth.sizes(value)})
            for _ in range(2):
                steps[value]()
        return run_for(steps[value], seconds)

    return answer


def measure(
    case: str, contenders: Sequence[str], *, threads: int, rounds: int, seconds: float
) -> tuple[dict[str, dict[int, float]], dict[str, str]]:
    """Return the median seconds by contender and size, in turns; and what failed."""
    growth = CASES[case]
    found: dict[str, dict[int, float]] = {}
    errors: dict[str, str] = {}
    for name in contenders:
        times: dict[int, list[float]] = {value: [] for value in growth.values}
        with Process("benchmarks.growth:server", threads, case=case, contender=name) as process:
            try:
                for _ in range(rounds):
                    for value in growth.values:
                        times[value] += process.ask((value, seconds))
            except Failed as error:
                errors[name] = str(error)
                continue
        found[name] = {value: quartiles(t)[1] for value, t in times.items()}
        time.sleep(GAP)
    return found, errors


def block(case: str, found: dict[str, dict[int, float]], errors: dict[str, str]) -> str:
    """Return the table of one case, with the fitted exponents."""
    growth = CASES[case]
    lines = [
        f"{case}: ms a step by {growth.what}, {growth.values[0]} to {growth.values[-1]} "
        f"(largest term of the arithmetic: {growth.what} ** {growth.arithmetic:g})",
        f"  {'':12}" + "".join(f"{v:>10}" for v in growth.values),
    ]
    for name, times in found.items():
        cells = "".join(f"{t * 1e3:10.3f}" for t in times.values())
        lines.append(f"  {name:12}{cells}   {fit(list(times), list(times.values()))}")
    lines += [f"  {name:12}not measured: {why}" for name, why in errors.items()]
    return "\n".join(lines)
