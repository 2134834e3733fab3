"""Capture: record a function's call as a flat program, and replay it without Python for each op.

`recorder` makes the program from what `tracer` arrays tell it, `passes` make it smaller and
faster, `program` runs and prints it, `captured` decides when it may be used.
"""

from minigrad.engine.recording import CaptureError
from minigrad.replay.captured import Captured, capture
from minigrad.replay.passes import PASSES
from minigrad.replay.program import Program
from minigrad.replay.report import Cost, measure_rates

__all__ = ["PASSES", "CaptureError", "Captured", "Cost", "Program", "capture", "measure_rates"]
