"""Which lessons there are, what they are called, and which of them was asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minigrad.check.lints.lessons import FOLDERS

PACKAGE = Path(__file__).resolve().parents[1]


class LessonError(Exception):
    """A lesson was asked for that is not there; the message says which there are."""


@dataclass(frozen=True)
class Lesson:
    """One lesson: a script whose name is its number and a word or more.

    Attributes
    ----------
    path : pathlib.Path
        The script.
    """

    path: Path

    @property
    def stem(self) -> str:
        """The file's name without ``.py``."""
        return self.path.stem

    @property
    def number(self) -> int:
        """The number that its name begins with."""
        return int(self.stem.partition("_")[0])

    @property
    def title(self) -> str:
        """The first heading, without its ``#``; the stem if there is none."""
        with open(self.path, encoding="utf-8") as file:
            for line in file:
                if found := re.fullmatch(r"# # (.*\S)\s*", line):
                    return found[1]
        return self.stem

    @property
    def assertions(self) -> int:
        """How many ``assert`` statements it has; its claims are asserted besides."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        return sum(isinstance(node, ast.Assert) for node in ast.walk(tree))


def find_lessons(folders: Sequence[Path] = FOLDERS) -> list[Lesson]:
    """Return the lessons of the first folder that has any, by number.

    Raises
    ------
    LessonError
        No folder has one.
    """
    for folder in folders:
        paths = [p for p in folder.glob("*.py") if re.fullmatch(r"\d+_\w+", p.stem)]
        if paths:
            return sorted(map(Lesson, paths), key=lambda lesson: (lesson.number, lesson.stem))
    looked = " and in ".join(map(str, folders))
    raise LessonError(
        f"no lessons were found (looked in {looked}); "
        "a whole checkout or an installed wheel has them"
    )


def choose(lessons: Sequence[Lesson], names: Sequence[str]) -> list[Lesson]:
    """Return the lessons of these numbers or stems, in that order; all for no name.

    Raises
    ------
    LessonError
        A name is of no lesson.
    """
    chosen = []
    for name in names:
        wanted = int(name) if name.isdecimal() else None
        hits = [lesson for lesson in lessons if name == lesson.stem or wanted == lesson.number]
        if not hits:
            there = ", ".join(lesson.stem for lesson in lessons)
            raise LessonError(f"there is no lesson {name!r}; there are: {there}")
        chosen += [lesson for lesson in hits if lesson not in chosen]
    return chosen or list(lessons)
