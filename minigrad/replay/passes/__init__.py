"""Passes: each makes a program smaller or faster and changes no bit of its results.

By name, in the order in which they run; `minigrad.replay.capture` takes a list of those wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.replay.passes.dead_code import dead_code

PASSES: dict[str, Callable[[Any], None]] = {
    "dead_code": dead_code,
}
