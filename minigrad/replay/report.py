"""A program in words, numbers and a picture."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from minigrad.replay.ir import Instr, Storage, View

_BOX, _GAP, _LINE = 150, 24, 60  # of the drawing


@dataclass
class Line:
    """What one instruction costs: FLOPs, bytes read and written, and the least seconds for it."""

    name: str
    flops: int
    nbytes: int
    seconds: float | None

    @property
    def intensity(self) -> float:
        """FLOPs for each byte."""
        return self.flops / self.nbytes if self.nbytes else 0.0


@dataclass
class Cost:
    """What a program costs, line by line and together.

    An elementwise function counts as one FLOP an element, a product of (m, k) and (k, n) as
    2 m k n, a sum as one for each element summed. Calls of Python count as none, and a kernel
    that was recorded as one call as one for each element of its results.
    """

    lines: list[Line]

    @property
    def flops(self) -> int:
        """All FLOPs."""
        return sum(line.flops for line in self.lines)

    @property
    def nbytes(self) -> int:
        """All bytes read and written."""
        return sum(line.nbytes for line in self.lines)

    @property
    def intensity(self) -> float:
        """FLOPs for each byte."""
        return self.flops / self.nbytes if self.nbytes else 0.0

    @property
    def seconds(self) -> float | None:
        """The least time: the sum of the lines' floors, None without a machine's rates."""
        floors = [line.seconds for line in self.lines]
        return None if None in floors else math.fsum(x for x in floors if x is not None)

    def __str__(self) -> str:
        rows = [f"{'instruction':28}{'FLOPs':>14}{'bytes':>14}{'FLOP/byte':>11}{'floor us':>10}"]
        together: list[Line | Cost] = [*self.lines, self]
        for line in together:
            name = line.name if isinstance(line, Line) else "together"
            floor = "-" if line.seconds is None else f"{line.seconds * 1e6:.2f}"
            rows.append(
                f"{name:28}{line.flops:14,}{line.nbytes:14,}{line.intensity:11.2f}{floor:>10}"
            )
        return "\n".join(rows)


def cost(program: Any, flops_per_second: float | None, bytes_per_second: float | None) -> Cost:
    """Return what a program costs (see `Program.cost`)."""
    if (flops_per_second is None) != (bytes_per_second is None):
        raise ValueError("a floor needs both rates: flops_per_second and bytes_per_second")
    lines = []
    for instr in program.instrs:
        n, b = flops(instr), traffic(instr)
        floor = None
        if flops_per_second and bytes_per_second:
            floor = max(n / flops_per_second, b / bytes_per_second)
        lines.append(Line(label(instr), n, b, floor))
    return Cost(lines)


def label(instr: Instr) -> str:
    """Return an instruction's name, and the op that it belongs to."""
    return f"{instr.name} of {instr.op}" if instr.op and instr.op != instr.name else instr.name


def named(instr: Instr) -> str:
    """Return an instruction's name, of a group with the names of what is in it."""
    if not instr.parts:
        return label(instr)
    parts = Counter(part.name for part in instr.parts)
    return f"{instr.name}: {', '.join(f'{k} {n}' if k > 1 else n for n, k in parts.items())}"


def flops(instr: Instr) -> int:
    """Return an estimate of an instruction's FLOPs (see `Cost`)."""
    if instr.parts:
        return sum(flops(part) for part in instr.parts)
    if instr.kind in ("python", "write") or (instr.kind == "copy"):
        return 0
    views = [a for a in instr.args if isinstance(a, View)]
    if instr.name == "matmul":
        return 2 * sum(v.size for v in instr.outs) * views[0].shape[-1]
    if instr.kind == "method" and views:
        return views[0].size
    return sum(v.size for v in instr.outs)


def traffic(instr: Instr) -> int:
    """Return the bytes of what an instruction reads and writes; of a group, in memory.

    A group's results that only the group uses stay in the cache; its lanes' calls go on one by one.
    """
    if instr.kind == "lanes":
        return sum(map(traffic, instr.parts))
    if instr.parts:
        return sum(v.nbytes for v in {v.place: v for v in instr.also_reads}.values()) + sum(
            v.nbytes for v in instr.outs
        )
    return sum(v.nbytes for v in {id(v): v for v in instr.operands()}.values()) + sum(
        v.nbytes for v in instr.outs
    )


def table(program: Any) -> str:
    """Return a program as text: a line for each instruction."""
    rows = [
        f"{program.name}: {len(program.instrs)} instructions of {program.recorded} recorded, "
        f"passes: {', '.join(program.passes) or 'none'}",
        f"{'':4}{'instruction':32}{'operands -> result':34}{'shape':18}{'dtype':9}"
        f"{'bytes':>12}{'FLOPs':>14}  passes",
    ]
    for i, instr in enumerate(program.instrs):
        rows.append(_row(f"{i:3}", instr, label(instr)))
        rows += [_row("", part, f"| {label(part)}") for part in instr.parts]
    return "\n".join(rows)


def _row(number: str, instr: Instr, name: str) -> str:
    """Return an instruction's line of the table."""
    out = instr.outs[-1] if instr.outs else None
    flow = ", ".join(dict.fromkeys(str(v) for v in instr.operands()))
    flow += " -> " + ", ".join(dict.fromkeys(str(v) for v in instr.outs))
    shape, dtype = (str(list(out.shape)), str(out.dtype)) if out is not None else ("", "")
    marks = ", ".join((["condition"] if instr.prologue else []) + instr.touched)
    return (
        f"{number:3} {name:31.31} {flow:33.33} {shape:17} {dtype:8} "
        f"{traffic(instr):11,} {flops(instr):13,}  {marks}".rstrip()
    )


def draw(program: Any) -> str:
    """Return a program as SVG: each instruction below those whose results it uses."""
    writer: dict[Storage, int] = {}
    depth: list[int] = []
    edges: list[tuple[int, int]] = []
    for i, instr in enumerate(program.instrs):
        sources = {writer[v.storage] for v in instr.reads() if v.storage in writer}
        depth.append(max((depth[s] for s in sources), default=-1) + 1)
        edges += [(s, i) for s in sorted(sources)]
        for v in instr.outs:
            writer[v.storage] = i
    places: list[tuple[int, int]] = []
    filled: dict[int, int] = {}
    for d in depth:
        column = filled.get(d, 0)
        filled[d] = column + 1
        places.append((_GAP + column * (_BOX + _GAP), _GAP + d * _LINE))
    width = max((x for x, _ in places), default=0) + _BOX + _GAP
    height = max((y for _, y in places), default=0) + _LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="11">'
    ]
    for a, b in edges:
        (x1, y1), (x2, y2) = places[a], places[b]
        parts.append(
            f'<line x1="{x1 + _BOX // 2}" y1="{y1 + 32}" x2="{x2 + _BOX // 2}" y2="{y2}" '
            'stroke="#999"/>'
        )
    for instr, (x, y) in zip(program.instrs, places, strict=True):
        shape = list(instr.outs[-1].shape) if instr.outs else ""
        fill = "#fde8c8" if instr.kind in ("python", "opaque") else "#dcebfa"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_BOX}" height="32" rx="4" fill="{fill}" '
            f'stroke="#666"/><text x="{x + 5}" y="{y + 13}">{escape(label(instr)[:26])}</text>'
            f'<text x="{x + 5}" y="{y + 26}" fill="#555">{escape(str(shape))}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def measure_rates(size: int = 1024, seconds: float = 0.2) -> tuple[float, float]:
    """Return this machine's FLOP/s of a float32 product and bytes/s of a copy, as they are now.

    Examples
    --------
    >>> from minigrad.replay import measure_rates
    >>> rates = measure_rates(64, 0.01)
    >>> all(rate > 0 for rate in rates)
    True
    """
    a = np.ones((size, size), np.float32)
    out = np.empty_like(a)
    flops_rate = 2 * size**3 / _shortest(lambda: np.matmul(a, a, out), seconds / 2)
    b = np.ones(16 * size * size, np.float32)
    into = np.empty_like(b)
    return flops_rate, 2 * b.nbytes / _shortest(lambda: np.copyto(into, b), seconds / 2)


def _shortest(run: Any, seconds: float) -> float:
    times: list[float] = []
    run()  # the first touch of its memory takes much longer
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
