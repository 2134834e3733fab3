"""Each op of the table beside its namesake in torch, at several sizes, forward and backward."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.clock import run_for
from benchmarks.libraries import library
from benchmarks.op_calls import draw, invoke, layout, torch_function
from benchmarks.process import Failed, Process

Times = list[float]  # seconds forward, and with backward (only forward where there is no gradient)


def rows() -> dict[str, Any]:
    """Return the table's rows that have a namesake in torch and a layout here."""
    from minigrad.engine.op import TABLE

    library("minigrad")
    return {
        name: row
        for name, row in TABLE.items()
        if not name.startswith("_") and layout(row, 100) is not None
    }


def server(framework: str) -> Callable[[Any], Any]:
    """Return what answers (op, size, seconds) with `Times`, and (op, None, 0) with "known"."""
    lib = library(framework)
    known = rows()

    def answer(request: tuple[str, int | None, float]) -> Any:
        name, size, seconds = request
        row = known[name]
        function = row.function if framework == "minigrad" else torch_function(row)
        if size is None:
            return function is not None
        assert function is not None
        call = layout(row, size)
        assert call is not None
        values = draw(lib, row, call)

        def forward() -> Any:
            return invoke(function, row, call, values)

        outputs = forward()
        times = [_best(forward, seconds)]
        output = floating(outputs)
        if output is not None and output.requires_grad:
            drawn = np.random.default_rng(0).standard_normal(tuple(output.shape))
            cotangent = lib.tensor(drawn.astype(np.float32))
            leaves = [v for v in values if getattr(v, "requires_grad", False)]

            def both() -> None:
                for leaf in leaves:
                    leaf.grad = None
                floating(forward()).backward(cotangent)

            both()
            times.append(_best(both, seconds))
        return times

    return answer


def floating(outputs: Any) -> Any:
    """Return the first floating output."""
    if hasattr(outputs, "values") and isinstance(outputs, tuple):  # sort, topk, max
        outputs = outputs[0]
    several = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    return next((y for y in several if "float" in str(y.dtype)), None)


def _best(step: Callable[[], Any], seconds: float) -> float:
    return statistics.median(run_for(step, seconds))


@dataclass
class Sweep:
    """The ratios minigrad / torch by op and size: forward, and with backward."""

    sizes: Sequence[int]
    seconds: dict[str, dict[str, dict[int, Times]]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def ratios(self, op: str, size: int) -> list[float | None]:
        """Return both ratios (None where one of the libraries has no derivative)."""
        mine, other = (self.seconds[op][f][size] for f in ("minigrad", "torch"))
        both = len(mine) == len(other) == 2
        return [mine[0] / other[0], mine[1] / other[1] if both else None]

    def mean(self, size: int, place: int) -> float:
        """Return the geometric mean of the ratios over the ops."""
        found = [self.ratios(op, size)[place] for op in self.seconds]
        logs = [math.log(x) for x in found if x is not None]
        return math.exp(statistics.mean(logs)) if logs else math.nan


def measure(
    names: Sequence[str],
    sizes: Sequence[int],
    *,
    threads: int,
    rounds: int,
    seconds: float,
    show: Callable[[str], None] = lambda line: None,
) -> Sweep:
    """Time ops in both libraries in turns; the median of the rounds counts.

    Raises
    ------
    SystemExit
        There is no op of one of the names, or it has no layout in `op_calls`.
    """
    known = rows()
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no op {name!r} to measure; there are: {', '.join(known)}")
    sweep = Sweep(sizes)
    show(heads(sizes))
    with (
        Process("benchmarks.op_sweep:server", threads, framework="minigrad") as mine,
        Process("benchmarks.op_sweep:server", threads, framework="torch") as other,
    ):
        both = {"minigrad": mine, "torch": other}
        for name in names or known:
            if not other.ask((name, None, 0)):
                sweep.left_out[name] = "torch has none of this name"
                continue
            found: dict[str, dict[int, Times]] = {f: {} for f in both}
            try:
                for size in sizes:
                    turns = [
                        {f: p.ask((name, size, seconds)) for f, p in both.items()}
                        for _ in range(rounds)
                    ]
                    for f in both:
                        found[f][size] = [
                            statistics.median(t) for t in zip(*(x[f] for x in turns), strict=True)
                        ]
            except Failed as error:
                sweep.left_out[name] = str(error)
                continue
            sweep.seconds[name] = found
            show(line(sweep, name))
    return sweep


def heads(sizes: Sequence[int]) -> str:
    """Return the first lines of the table."""
    top = "".join(f"{n:>16,}" for n in sizes)
    return (
        f"minigrad / torch by elements: forward, and with backward\n{'op':30}{top}\n"
        f"{'':30}" + "".join(f"{'fwd':>9}{'both':>7}" for _ in sizes)
    )


def line(sweep: Sweep, op: str) -> str:
    """Return one op's line."""
    cells = [x for size in sweep.sizes for x in sweep.ratios(op, size)]
    return _line(op, cells)


def means(sweep: Sweep) -> str:
    """Return the last line: the geometric means."""
    return _line("geometric mean", [sweep.mean(n, i) for n in sweep.sizes for i in (0, 1)])


def _line(name: str, cells: Sequence[float | None]) -> str:
    shown = ["-" if x is None else f"{x:.2f}" for x in cells]
    return f"{name:30}" + "".join(f"{c:>{9 if i % 2 == 0 else 7}}" for i, c in enumerate(shown))
