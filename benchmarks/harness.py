"""Workloads against each other: values first, then times in turns, so that drift hits all alike.

Every contender runs in a process of its own. It reports the values of its first steps, and no
time is believed before these agree; then the contenders take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.clock import GAP, run_for
from benchmarks.libraries import library, settle
from benchmarks.process import Failed, Process
from benchmarks.rates import Rates
from benchmarks.results import Result
from benchmarks.workload import load

PARITY_STEPS = 4


def server(workload: str, contender: str, threads: int, size: str) -> Callable[[Any], Any]:
    """Return what answers "values" with the first values, and a number with times of steps."""
    made = load(workload)
    contender, _, device = contender.partition("@")
    build = made.contenders[contender]
    sizes = dict(getattr(made, size))
    if device:
        settle(library("torch" if contender == "torch" else "minigrad"), device)
    if contender in made.own_threads:
        sizes["threads"] = threads
    state: dict[str, Callable[[], float]] = {}

    def answer(request: Any) -> list[float]:
        if request == "values":
            step = build(**{**sizes, **made.parity})
            values = [float(step()) for _ in range(PARITY_STEPS)]
            state["step"] = build(**sizes) if made.parity else step
            return values
        return run_for(state["step"], request)

    return answer


def compare(
    workload: str,
    contenders: Sequence[str],
    *,
    threads: int,
    rounds: int,
    seconds: float,
    rates: Rates | None = None,
    size: str = "sizes",
) -> Result:
    """Measure one workload.

    Parameters
    ----------
    workload, contenders
        Names; contenders that the workload does not have are left out. The first is the one whose
        values the others must have.
    threads, rounds, seconds
        How: so many turns of so many seconds for each.
    rates
        The machine's, for the floor.
    size
        "sizes" or "small".

    Returns
    -------
    Result
        A contender that failed, or whose values differ, is in its ``errors`` and has no times.
    """
    made = load(workload)
    floor = None
    if rates is not None:
        floor = made.cost(**_counted(made, size)).seconds(rates.flops, rates.bytes)
    result = Result(made.label, workload, made.title, floor)
    with ExitStack() as stack:
        running: dict[str, Process] = {}
        expected: list[float] = []
        for name in contenders:
            if name.partition("@")[0] not in made.contenders:
                continue
            alone = name in made.own_threads
            process = stack.enter_context(
                Process(
                    "benchmarks.harness:server", 1 if alone else threads,
                    workload=workload, contender=name, threads=threads, size=size,
                )
            )  # fmt: skip
            try:
                values = process.ask("values")
            except Failed as error:
                result.errors[name] = str(error)
                continue
            expected = expected or values
            if not _agree(values, expected, made.tolerance):
                result.errors[name] = f"computes {values} instead of {expected}"
                continue
            running[name] = process
            result.seconds[name] = []
        for _ in range(rounds):
            for name, process in list(running.items()):
                try:
                    result.seconds[name] += process.ask(seconds)
                except Failed as error:
                    result.errors[name] = str(error)
                    del running[name], result.seconds[name]
                time.sleep(GAP)
    return result


def _agree(values: Sequence[float], expected: Sequence[float], tolerance: float) -> bool:
    """Say whether all values are as expected; a NaN is not."""
    return all(abs(a - b) <= tolerance * abs(b) for a, b in zip(values, expected, strict=True))


def _counted(made: Any, size: str) -> dict[str, Any]:
    """Return the sizes that ``cost`` takes: those that change what is counted."""
    return {k: v for k, v in getattr(made, size).items() if k not in ("heads", "dropout")}
