"""Build the book: run the lessons, write the pages, let Sphinx make HTML of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from minigrad.book.found import (
    GraderTooLaxError,
    NoChineseError,
    put_extra,
    write_errata,
    write_exercises,
)
from minigrad.book.mathjax import MathJaxError, mathjax
from minigrad.book.notebooks import LessonFailed, execute
from minigrad.book.optable import write_op_pages
from minigrad.book.reference import write_reference
from minigrad.learn.environment import environment
from minigrad.learn.lesson import FOLDER

HERE = Path(__file__).resolve().parent


class BookError(Exception):
    """The book was not built; the message says why. What stood in its place is unchanged."""


def build(
    lessons: Sequence[Path],
    out: Path,
    cache: Path,
    say: Callable[[str], None] = print,
) -> None:
    """Build the book in a temporary folder, and move it to its place when it is whole.

    Parameters
    ----------
    lessons : sequence of pathlib.Path
        The lessons' scripts, in their order.
    out : pathlib.Path
        Where the book goes. If it exists, it must be a book (or empty), and is replaced.
    cache : pathlib.Path
        Where MathJax is kept from one build to the next.
    say : callable
        Told what is being done.

    Raises
    ------
    BookError
        A lesson failed, Sphinx found fault with a page, or MathJax is not to be had.
    """
    if out.exists() and any(out.iterdir()) and not (out / "genindex.html").exists():
        raise BookError(f"{out} is not empty and not a book: give another folder with --out")
    from sphinx.cmd.build import build_main

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".book-") as name:
        work = Path(name)
        source, scratch, html = work / "source", work / "lessons", work / "html"
        extra = work / "extra"
        for folder in (source / "lessons", source / "ops", source / "reference", scratch, extra):
            folder.mkdir(parents=True)
        try:
            shutil.copytree(HERE / "static", source / "_static")
            shutil.copy(mathjax(cache), source / "_static")
            say(f"running {len(lessons)} lessons")
            notebooks = execute(lessons, source / "lessons", scratch, environment())
            say("writing the errata, the exercises, the op table and the reference")
            write_errata(scratch / FOLDER, source, extra)
            write_exercises(source)
        except (GraderTooLaxError, LessonFailed, MathJaxError, NoChineseError) as error:
            raise BookError(str(error)) from error
        write_op_pages(source / "ops")
        parts = {
            "Lessons": [f"lessons/{path.stem}" for path in notebooks],
            "To do, and what was found": ["exercises", "errata"],
            "What it computes": ["ops/table"],
            "Reference": [f"reference/{p}" for p in write_reference(source / "reference")],
        }
        (source / "index.md").write_text(_index(parts), encoding="utf-8")
        shutil.copy(HERE / "sphinx_conf.py", source / "conf.py")
        say("making HTML")
        warnings = work / "warnings.txt"
        words = ["-b", "html", "-q", "-E", "-w", str(warnings), str(source), str(html)]
        status = build_main(words)
        found = warnings.read_text(encoding="utf-8") if warnings.exists() else ""
        if status or found:
            raise BookError(f"Sphinx, status {status}:\n{found}")
        put_extra(extra, html)
        _replace(html, out)


def _index(parts: Mapping[str, Sequence[str]]) -> str:
    """Return the first page: what stands in ``first.md``, and the table of contents."""
    lines = [(HERE / "first.md").read_text(encoding="utf-8")]
    for caption, pages in parts.items():
        lines += ["```{toctree}", ":maxdepth: 1", f":caption: {caption}", "", *pages, "```", ""]
    return "\n".join(lines)


def _replace(new: Path, place: Path) -> None:
    """Put a folder in the place of another; if that fails, the other is still there."""
    if not place.exists():
        os.replace(new, place)
        return
    old = new.with_name("old")
    os.replace(place, old)
    try:
        os.replace(new, place)
    except OSError:
        os.replace(old, place)
        raise
