"""Passes: each makes a program smaller or faster and changes no bit of its results.

By name, in the order in which they run; `minigrad.replay.capture` takes a list of those wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.replay.passes.constants import constants
from minigrad.replay.passes.copies import copies
from minigrad.replay.passes.dead_code import dead_code
from minigrad.replay.passes.fuse import fuse
from minigrad.replay.passes.lanes import lanes
from minigrad.replay.passes.masks import masks
from minigrad.replay.passes.plan import plan
from minigrad.replay.passes.subexpressions import subexpressions

PASSES: dict[str, Callable[[Any], None]] = {
    "constants": constants,
    "subexpressions": subexpressions,
    "copies": copies,
    "masks": masks,
    "dead_code": dead_code,
    "fuse": fuse,
    "lanes": lanes,
    "plan": plan,
}
