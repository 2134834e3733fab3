"""Where the commands' tables go: the terminal, or lines as long as the lessons'."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from minigrad.check.claims import WIDTH

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Return rich's console: as wide as the terminal, or as a claim's line where there is none."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH
    return Console(file=sys.stdout, width=width, markup=False, emoji=False, highlight=False)
