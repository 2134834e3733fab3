"""The table at the end of a run of lessons."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from minigrad.cli.runner import Outcome


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each lesson: its name, the result, its pictures, its time."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.ASCII, show_footer=len(outcomes) > 1)
    failed = sum(outcome.status != 0 for outcome in outcomes)
    total = sum(outcome.seconds for outcome in outcomes)
    pictures = sum(len(outcome.pictures) for outcome in outcomes)
    table.add_column("lesson", footer=f"{len(outcomes)} lessons", overflow="fold")
    table.add_column("result", footer=f"{failed} failed" if failed else "all ok", overflow="fold")
    table.add_column("pictures", footer=f"{pictures} pictures", overflow="fold")
    table.add_column("seconds", footer=f"{total:.1f}", justify="right")
    for outcome in outcomes:
        table.add_row(
            outcome.lesson.stem,
            outcome.result,
            "\n".join(outcome.pictures) or "none",
            f"{outcome.seconds:.1f}",
        )
    Console(file=sys.stdout, markup=False, emoji=False, highlight=False).print(table)
