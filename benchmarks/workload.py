"""What a workload is: one computation, written for several contenders, with its least cost."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import workloads
from benchmarks.cost import Cost

Step = Callable[[], float]  # runs once; what it returns is compared between contenders


@dataclass(frozen=True)
class Workload:
    """One row of the results.

    Parameters
    ----------
    label, title
        Such as "W1", and what it is.
    sizes, small
        Keyword arguments of the builders and of ``cost``: as measured, and for a quick test.
    contenders
        By name, functions that build a step; "captured" is left out where mg.capture is missing.
        Their threads are those of the process (`benchmarks.process`).
    cost
        The arithmetic and the memory traffic that no implementation can avoid.
    parity
        Sizes that differ while values are compared (no random masks).
    own_threads
        Contenders that start threads themselves, as many as asked for (``threads=``): their BLAS
        has one, since a BLAS helper that spins would take a core from them.
    tolerance
        Relative, of the first values.
    training
        Where it is a training step: what `benchmarks.training` makes it of.
    """

    label: str
    title: str
    sizes: Mapping[str, Any]
    small: Mapping[str, Any]
    contenders: Mapping[str, Callable[..., Step]]
    cost: Callable[..., Cost]
    parity: Mapping[str, Any] = field(default_factory=dict)
    own_threads: tuple[str, ...] = ()
    tolerance: float = 2e-5
    training: Any = None


def names() -> list[str]:
    """Return the workloads' names, W1 first."""
    found = [m.name for m in pkgutil.iter_modules(workloads.__path__)]
    return sorted(found, key=lambda name: int(load(name).label[1:]))


def load(name: str) -> Workload:
    """Return a workload by its name."""
    return importlib.import_module(f"benchmarks.workloads.{name}").WORKLOAD


def resolve(given: list[str]) -> list[str]:
    """Return names for names or labels (all for none).

    Raises
    ------
    SystemExit
        There is no such workload.
    """
    known = names()
    by_label = {load(name).label.lower(): name for name in known}
    chosen = [by_label.get(g.lower(), g) for g in given]
    for name in chosen:
        if name not in known:
            labels = ", ".join(f"{load(n).label} {n}" for n in known)
            raise SystemExit(f"there is no workload {name!r}; there are: {labels}")
    return chosen or known
