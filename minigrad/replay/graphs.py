"""Stretches of a program as CUDA graphs, where a GPU is there to launch them.

A graph repeats launches with the arguments that they had: what calls Python, draws random numbers
or looks at values at each replay stays between the graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from minigrad.backend import Backend
from minigrad.replay.ir import Instr

SHORTEST = 2  # calls that are worth a graph


def why_not(instr: Instr) -> str | None:
    """Say why a call cannot stand in a graph; None if it can."""
    if instr.kind == "python":
        return "calls Python, whose numbers change from step to step"
    if not instr.pure and instr.kind != "write":
        return "draws random numbers"
    if instr.kind == "opaque":
        return "looks at values"
    if instr.kind == "write" and not instr.outs:
        return "checks values"
    return None


class Graphs:
    """The stretches of a program, each a graph or a plain function, run one after another.

    Parameters
    ----------
    instrs : sequence of Instr
        What the program does, in order.
    emit : callable
        Makes a function of some instructions.
    xp : Backend
        Whose ``graphed`` makes a graph of a function.
    """

    def __init__(
        self, instrs: Sequence[Instr], emit: Callable[[str, Sequence[Instr]], Any], xp: Backend
    ) -> None:
        self._parts: list[tuple[Any, list[Instr]]] = []
        for n, (alike, group) in enumerate(groupby(instrs, lambda i: why_not(i) is None)):
            members = list(group)
            run = emit(f"run_{n}", members)
            graph = alike and len(members) >= SHORTEST
            self._parts.append((xp.graphed(run) if graph else run, members))

    def __call__(self) -> None:
        """Run the program once."""
        for run, _ in self._parts:
            run()

    def __str__(self) -> str:
        """Say what is a graph, and what is not and why."""
        lines = []
        for run, members in self._parts:
            if hasattr(run, "captured"):
                state = "a CUDA graph" if run.captured else "to be a CUDA graph at the next replays"
                if run.problem is not None:
                    state = f"no CUDA graph: {run.problem}"
                lines.append(f"{len(members)} calls: {state}")
                continue
            for instr in members:
                lines.append(f"{instr.name}: {why_not(instr) or 'alone between others'}")
        return "\n".join(lines)
