"""A walk in a terminal, with colours."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from minigrad.explain.text import styled_lines

if TYPE_CHECKING:
    from minigrad.explain.walk import Walk

STYLES = {
    "heading": "bold",
    "step": "cyan",
    "formula": "magenta",
    "number": "default",
    "verdict": "bold red",
    "plain": "dim",
}


def print_walk(walk: Walk) -> None:
    """Print a walk with rich."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    for line, style in styled_lines(walk):
        console.print(Text(line, style=STYLES[style]))
