"""The errata and the exercises as pages of the book."""

from __future__ import annotations

import shutil
from itertools import groupby
from pathlib import Path

from minigrad.learn.documents import TITLES
from minigrad.learn.errata import Row, by_verdict, read_folder, rows
from minigrad.learn.errata_page import page
from minigrad.learn.exercises.exercise import Exercise, docstring, find_exercises
from minigrad.learn.exercises.zoo import kill_table, kills
from minigrad.learn.wording import ENGLISH, Chinese

SEED = 1
ERRATA = """# Errata

{count} claims of the five documents were judged when this book was built: {verdicts}. Each was
computed as it is printed, and a program decided. A printed decimal holds if the computed value
rounds to it.

The same to filter: <a href="errata-en.html">in English</a>,
<a href="errata-zh.html">in Chinese</a>.
"""
EXERCISES = """# Exercises

`python -m minigrad lessons next` writes the next exercise into a folder of your own as a plain
Python file; `check` grades what it does, on inputs that are drawn anew each time; `hint` helps, and
`solution` is there once you have passed.

"""
KILLED = """## How the graders are graded

A grader is only as good as the wrong answers that it refuses. For each exercise wrong answers of
every kind below are made by a program and graded: the number is how many were made and refused; "-"
is a kind that the exercise cannot have. One that passed would stop the build of this book.

"""


class GraderTooLaxError(Exception):
    """A wrong answer passes, or a solution does not; the message has the kill table."""


class NoChineseError(Exception):
    """The Chinese errata would be half English; the message has what is missing."""


def write_errata(claims: Path, folder: Path, extra: Path) -> None:
    """Write the errata as a page, and in both languages as pages of their own.

    Parameters
    ----------
    claims : pathlib.Path
        Where the lessons left their claims.
    folder : pathlib.Path
        Where ``errata.md`` goes.
    extra : pathlib.Path
        Where ``errata-en.html`` and ``errata-zh.html`` go.

    Raises
    ------
    NoChineseError
        A claim's words are not in the tables of `minigrad.learn.chinese`.
    """
    found = rows(read_folder(claims))
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in by_verdict(found).items())
    texts = [ERRATA.format(count=len(found), verdicts=verdicts)]
    for document, of_it in groupby(found, key=lambda row: row.document):
        texts.append(f"\n## {document}: {TITLES.get(document, '')}\n")
        texts.append("| where | printed | right | check | verdict, lesson |")
        texts.append("|---|---|---|---|---|")
        texts += map(_row, of_it)
    (folder / "errata.md").write_text("\n".join(texts) + "\n", encoding="utf-8")
    chinese = Chinese()
    for wording, name in ((ENGLISH, "errata-en.html"), (chinese, "errata-zh.html")):
        (extra / name).write_text(page(found, wording), encoding="utf-8")
    if chinese.missing:
        raise NoChineseError("\n".join(f"no Chinese for: {s}: {t}" for s, t in chinese.missing))


def _row(row: Row) -> str:
    section = row.claim.where.partition(" ")[2]
    cells = (
        section,
        ENGLISH.printed(row),
        ENGLISH.right(row),
        f"{ENGLISH.found(row)} ({row.claim.check})",
        row.claim.verdict,
    )
    number = row.stem.partition("_")[0]
    return "| " + " | ".join(map(_cell, cells)) + f", [{number}](lessons/{row.stem}.ipynb) |"


def _cell(text: str) -> str:
    """Return a text that Markdown shows as it stands; what is between backquotes is code."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    for i in range(0, len(parts), 2):  # not in code
        for sign in "\\*_<$[":
            parts[i] = parts[i].replace(sign, "\\" + sign).replace("\\\\|", "\\|")
    return "`".join(parts)


def write_exercises(folder: Path) -> None:
    """Write the page of the exercises: each with its task, and the kill table.

    Raises
    ------
    GraderTooLaxError
        An exercise takes a wrong answer, or refuses its solution.
    """
    exercises = find_exercises()
    texts = [EXERCISES]
    for place, of_it in groupby(exercises, key=lambda exercise: exercise.belongs_to):
        texts.append(f"## {place[0].upper()}{place[1:]}\n")
        texts += map(_exercise, of_it)
    killed = [kills(exercise, SEED) for exercise in exercises]
    table = kill_table(killed)
    if not all(row.sound for row in killed):
        raise GraderTooLaxError(table)
    texts += [KILLED, table, ""]
    (folder / "exercises.md").write_text("\n".join(texts), encoding="utf-8")


def _exercise(exercise: Exercise) -> str:
    _, _, text = docstring(exercise.task).partition("\n")
    return f"### {exercise.short}: {exercise.title}\n\n{text.strip()}\n"


def put_extra(extra: Path, html: Path) -> None:
    """Put the pages that Sphinx does not make beside those that it makes."""
    for path in sorted(extra.iterdir()):
        shutil.copy(path, html / path.name)
