"""``python -m minigrad book``: the lessons, the op table, the reference and the errata as HTML."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from minigrad.cli.extras import missing, pip_line
from minigrad.cli.lessons import find_lessons


def add_book(commands: Any) -> None:
    """Add the command to a parser's commands."""
    text = "build the book: lessons with their outputs, op table, reference, errata, as HTML"
    parser = commands.add_parser(
        "book",
        help=text,
        allow_abbrev=False,
        description=f"{text[0].upper()}{text[1:]}. It runs all lessons; exit status 1 if one "
        "fails, or if a page has a fault.",
    )
    parser.add_argument(
        "--out",
        default=Path("book"),
        type=Path,
        metavar="DIR",
        help="folder for the pages (default: book); an older book there is replaced",
    )
    parser.set_defaults(command="book")


def run_book(options: argparse.Namespace) -> int:
    """Build the book; return the exit status."""
    if absent := missing("book"):
        cure = pip_line("book")
        print(f"error: the book needs {', '.join(absent)}; install with: {cure}", file=sys.stderr)
        return 1
    # Here and not above, so that the other commands start fast
    from minigrad.book import BookError, build
    from minigrad.data.places import cache_folder

    out = options.out.absolute()
    try:
        build([lesson.path for lesson in find_lessons()], out, cache_folder() / "book")
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"the book: {out / 'index.html'}")
    return 0
