"""What was measured: as text, as JSON and as a picture."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.clock import quartiles
from benchmarks.rates import Rates


@dataclass
class Result:
    """One workload: the seconds of all steps by contender, and the computed floor."""

    label: str
    name: str
    title: str
    floor: float | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def median(self, contender: str) -> float:
        """Return the median seconds of a step."""
        return quartiles(self.seconds[contender])[1]

    def ratio(self, contender: str, to: str) -> float | None:
        """Return the ratio of two medians; None if one was not measured."""
        if contender not in self.seconds or to not in self.seconds:
            return None
        return self.median(contender) / self.median(to)


def block(result: Result, peers: Sequence[str]) -> str:
    """Return one workload's table: quartiles, and ratios to the peers and to the limit."""
    floor = "" if result.floor is None else f"   computed floor {result.floor * 1e3:.3f} ms"
    others = [p for p in (*peers, "numpy") if p in result.seconds]
    heads = ["q1 ms", "median ms", "q3 ms", "steps", *(f"of {p}" for p in others)]
    heads += ["of floor"] if result.floor else []
    lines = [f"{result.label} {result.name}: {result.title}{floor}"]
    lines.append("  " + f"{'':14}" + "".join(f"{h:>14}" for h in heads))
    for name, times in result.seconds.items():
        first, middle, third = (t * 1e3 for t in quartiles(times))
        cells = [f"{first:.3f}", f"{middle:.3f}", f"{third:.3f}", str(len(times))]
        cells += [f"{result.ratio(name, p):.2f}" for p in others]
        cells += [f"{middle / 1e3 / result.floor:.1f}"] if result.floor else []
        lines.append("  " + f"{name:14}" + "".join(f"{c:>14}" for c in cells))
    lines += [f"  {name:14}not measured: {why}" for name, why in result.errors.items()]
    if any(result.median(name) < (result.floor or 0) for name in result.seconds):
        lines.append("  a time below the floor: the machine was busy while its rates were measured")
    return "\n".join(lines)


def summary(results: Sequence[Result], peer: str) -> str:
    """Return one line a workload: each contender's median beside the peer's (below 1: faster)."""
    names = list(dict.fromkeys(name for r in results for name in r.seconds if name != peer))
    lines = [f"median of a step / {peer}'s", f"{'':22}" + "".join(f"{n:>14}" for n in names)]
    for r in results:
        ratios = [r.ratio(name, peer) for name in names]
        cells = "".join(f"{'-' if x is None else format(x, '.2f'):>14}" for x in ratios)
        lines.append(f"{r.label + ' ' + r.name:22}{cells}")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Return what the figures depend on beside the program."""
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def record(results: Sequence[Result], threads: int, rates: Rates | None) -> dict[str, Any]:
    """Return the results as they are written to JSON."""
    return {
        "machine": machine(),
        "threads": threads,
        "rates": None if rates is None else {"flops": rates.flops, "bytes": rates.bytes},
        "workloads": {
            r.label: {
                "name": r.name,
                "title": r.title,
                "floor": r.floor,
                "seconds": {
                    name: dict(
                        zip(("q1", "median", "q3"), quartiles(times), strict=True), steps=len(times)
                    )
                    for name, times in r.seconds.items()
                },
                "errors": r.errors,
            }
            for r in results
        },
    }


def write(path: str, data: bytes) -> None:
    """Write a file, the old one or the new one and never a part."""
    from minigrad.io.atomic import write_atomic

    write_atomic(Path(path), data)
    print(f"written: {path}")


def write_json(path: str, content: Any) -> None:
    """Write figures as JSON."""
    write(path, json.dumps(content, indent=1).encode())


def picture(results: Sequence[Result], peer: str, threads: int, path: str) -> None:
    """Draw the ratios to a peer's median on a logarithmic axis, with their quartiles."""
    import io

    from matplotlib.figure import Figure

    shown = [r for r in results if peer in r.seconds]
    names = list(dict.fromkeys(name for r in shown for name in r.seconds if name != peer))
    if not names:
        raise SystemExit(f"there is nothing to draw: nothing was measured beside {peer}")
    figure = Figure(figsize=(2.5 + 1.1 * len(shown), 4.8), layout="constrained")
    axes = figure.add_subplot()
    for i, name in enumerate(names):
        places, middles, below, above = [], [], [], []
        for place, r in enumerate(shown):
            if name in r.seconds:
                low, middle, high = (t / r.median(peer) for t in quartiles(r.seconds[name]))
                places.append(place + 0.7 * ((i + 0.5) / len(names) - 0.5))
                middles.append(middle)
                below.append(middle - low)
                above.append(high - middle)
        axes.errorbar(places, middles, (below, above), fmt="o", capsize=3, label=name)
    floors = [(i, r.floor / r.median(peer)) for i, r in enumerate(shown) if r.floor]
    for n, (i, height) in enumerate(floors):
        label = "computed floor" if n == 0 else None
        axes.hlines(height, i - 0.4, i + 0.4, colors="gray", linestyles="dotted", label=label)
    axes.axhline(1, color="black", linewidth=1, label=peer)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(axis="y", alpha=0.3)
    axes.set_xticks(range(len(shown)), [f"{r.label}\n{r.name}" for r in shown], fontsize=8)
    axes.set_ylabel(f"time of a step / {peer}'s (dots: median, lines: quartiles)")
    axes.set_title(f"Below 1 is faster than {peer}; {threads} threads each, float32")
    figure.legend(loc="outside right upper")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(path).suffix.lstrip(".") or "png", dpi=150)
    write(path, buffer.getvalue())
