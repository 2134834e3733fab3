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
    for widen, shrink in ((1, 100), (1, 10), (10, 10), (100, 10), (1000, 10)):
        wide, near = probe.at(widen * eps, weights), probe.at(widen * eps / shrink, weights)
        if abs(wide.jump) <= 1e-3 * (abs(wide.left) + abs(wide.right)):
            return None
        # Until the steps are so wide that the values have digits to tell
        if 10 * wide.noise < abs(wide.jump) and 10 * shrink * near.noise < abs(wide.jump):
            growth = shrink * abs(near.jump) / abs(wide.jump)
            kind = "a jump" if growth > 3 * shrink else "a kink or a tie"
            if growth > 3 or (growth < 0.3 and widen == 1):
                return Kink(growth > 3, kind, near)
            return None
    return None
