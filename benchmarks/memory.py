"""The most memory that a process ever held, on one workload."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.process import Failed, Process
from benchmarks.workload import load


def peak_rss() -> int:
    """Return the most bytes that this process has held, since it began to run its program."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it made this process
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
        assert found is not None
        return int(found[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def server(workload: str, contender: str, threads: int, size: str) -> Callable[[Any], Any]:
    """Return what runs so many steps and tells the peak."""

    def measure(steps: int) -> int:
        made = load(workload)
        sizes = dict(getattr(made, size))
        if contender in made.own_threads:
            sizes["threads"] = threads
        step = made.contenders[contender](**sizes)
        for _ in range(steps):
            step()
        return peak_rss()

    return measure


def measure(
    workload: str, contenders: Sequence[str], threads: int, steps: int = 20, size: str = "sizes"
) -> dict[str, int | str]:
    """Return the peak bytes by contender, each in a fresh process; text where one failed."""
    made = load(workload)
    found: dict[str, int | str] = {}
    for name in contenders:
        if name not in made.contenders:
            continue
        options = {"workload": workload, "contender": name, "threads": threads, "size": size}
        alone = 1 if name in made.own_threads else threads
        with Process("benchmarks.memory:server", alone, **options) as process:
            try:
                found[name] = process.ask(steps)
            except Failed as error:
                found[name] = str(error)
    return found


def table(found: dict[str, int | str], peers: Sequence[str]) -> str:
    """Return the peaks, and their ratios to the peers'."""
    known = {name: x for name, x in found.items() if isinstance(x, int)}
    peers = [p for p in peers if p in known]
    lines = [f"{'':12}{'peak MB':>10}" + "".join(f"{'of ' + p:>12}" for p in peers)]
    for name, x in found.items():
        if isinstance(x, int):
            ratios = "".join(f"{x / known[p]:12.2f}" for p in peers)
            lines.append(f"{name:12}{x / 1e6:10.1f}{ratios}")
        else:
            lines.append(f"{name:12}not measured: {x}")
    return "\n".join(lines)
