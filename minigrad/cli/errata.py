"""``python -m minigrad errata``: every claim of the documents that the lessons judge."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minigrad.cli.console import console
from minigrad.cli.extras import missing, pip_line
from minigrad.cli.lessons import find_lessons
from minigrad.cli.runner import run_lesson
from minigrad.io.atomic import write_atomic
from minigrad.learn.errata import Row, by_verdict, read_folder, rows
from minigrad.learn.errata_page import page
from minigrad.learn.wording import ENGLISH, Chinese, Wording


def add_errata(commands: Any) -> None:
    """Add the command to a parser's commands."""
    text = "print what the documents print, what is right, and the check that decides"
    parser = commands.add_parser(
        "errata",
        help=text,
        allow_abbrev=False,
        description="Print every claim that the lessons judge: what is printed, what is right, the "
        "check that decides, the lesson. Without --from it runs all lessons first, quietly.",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="write it as a page as well")
    parser.add_argument("--zh", action="store_true", help="in Chinese")
    parser.add_argument(
        "--from",
        dest="folder",
        type=Path,
        metavar="FOLDER",
        help="take the claims that 'lessons run --out FOLDER' left there; run nothing",
    )
    parser.set_defaults(command="errata")


def run_errata(options: argparse.Namespace) -> int:
    """Print the errata; return the exit status."""
    if options.out and options.out.suffix.lower() not in (".html", ".htm"):
        print(f"error: --out {options.out} is not called something.html", file=sys.stderr)
        return 2
    if absent := missing("lessons"):
        cure = pip_line("lessons")
        print(f"error: the errata need {', '.join(absent)}; install with: {cure}", file=sys.stderr)
        return 1
    try:
        if options.folder:
            records = read_folder(options.folder)
        else:
            with tempfile.TemporaryDirectory() as folder:
                if not _run_all(Path(folder)):
                    return 1
                records = read_folder(Path(folder))
        found = rows(records)
        wording = Chinese() if options.zh else ENGLISH
        print_errata(found, wording)
        if options.out:
            write_atomic(options.out.absolute(), page(found, wording).encode("utf-8"))
            print(f"page: {options.out}")
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if isinstance(wording, Chinese) and wording.missing:
        for stem, text in dict.fromkeys(wording.missing):
            print(f"no Chinese for: {stem}: {text}", file=sys.stderr)
        return 1
    return 0


def _run_all(folder: Path) -> bool:
    """Run the lessons; say which one failed, and what it printed."""
    for lesson in find_lessons():
        outcome = run_lesson(lesson, folder, quiet=True)
        print(f"{lesson.stem}: {outcome.result}, {outcome.seconds:.1f} s", file=sys.stderr)
        if outcome.status:
            print(outcome.printed, file=sys.stderr)
            return False
    return True


def print_errata(found: Sequence[Row], wording: Wording) -> None:
    """Print the rows as a table, and how many there are of each verdict."""
    from rich import box
    from rich.table import Table

    say = wording.fixed
    table = Table(box=box.ASCII, show_lines=True)
    for name, ratio in (("place", 6), ("printed", 14), ("right", 14), ("verdict", 12)):
        table.add_column(say(name), ratio=ratio, overflow="fold")
    table.add_column(say("lesson"), no_wrap=True)
    for row in found:
        verdict = f"{say(row.claim.verdict)}{wording.colon}{wording.found(row)}"
        cells = (
            wording.section(row.claim.where),
            wording.printed(row),
            wording.right(row),
            verdict,
        )
        table.add_row(*cells, row.stem.partition("_")[0])
    console().print(table)
    counts = ", ".join(f"{count} {say(verdict)}" for verdict, count in by_verdict(found).items())
    print(f"{len(found)} {say('claims were judged')}{wording.colon}{counts}")
