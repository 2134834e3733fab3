"""Kinks, ties and jumps: where the quotients to the left and to the right stay apart."""

from __future__ import annotations

from typing import NamedTuple

from minigrad.check.flat import Vector
from minigrad.check.probe import Probe, Quotients


class Kink(NamedTuple):
    """A point without a derivative: at the start of a probe, or only within a step of it."""

    here: bool
    kind: str
    near: Quotients  # at a smaller step


def find_kink(probe: Probe, weights: Vector, eps: float) -> Kink | None:
    """Return the kink, tie or jump within eps, if there is one.

    The right minus the left quotient, divided by the step, is the same at all steps where a
    function is smooth. At a kink it grows as the step shrinks; beside one it vanishes.
    """
    wide = probe.at(eps, weights)
    if not abs(wide.jump) > 1e-3 * (abs(wide.left) + abs(wide.right)) + 10 * wide.noise:
        return None
    for shrink in (100, 10):
        near = probe.at(eps / shrink, weights)
        if near.noise < abs(wide.jump) * 0.1 / shrink:
            growth = shrink * abs(near.jump) / abs(wide.jump)
            kind = "a jump" if growth > 3 * shrink else "a kink or a tie"
            return Kink(growth > 3, kind, near) if not 0.3 <= growth <= 3 else None
    return None
