"""The narrator: what a small graph computed, and how each gradient came about, number by number."""

from minigrad.explain.drawing import Drawing, draw
from minigrad.explain.graph import TooLargeError
from minigrad.explain.record import Contribution, Operand, Row
from minigrad.explain.tape import tape
from minigrad.explain.walk import Walk, walk
from minigrad.explain.watch import watching

__all__ = [
    "Contribution",
    "Drawing",
    "Operand",
    "Row",
    "TooLargeError",
    "Walk",
    "draw",
    "tape",
    "walk",
    "watching",
]
