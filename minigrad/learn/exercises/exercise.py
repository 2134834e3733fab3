"""Which exercises there are, what is in their folders, and which of them was asked for."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from minigrad.check.lints.lessons import FOLDERS, lesson_named
from minigrad.learn.exercises.checks import Answer, Check

TASK, SOLUTION, GRADE = "task.py", "solution.py", "grade.py"
MUSEUM = "museum"
LIMIT = 20.0  # seconds


class ExerciseError(Exception):
    """What was asked for cannot be done; the message says why, and what can."""


@dataclass(frozen=True)
class Exercise:
    """A folder with a task, its solution, and how an answer is graded.

    Parameters
    ----------
    folder : pathlib.Path
        Its name is the exercise's: ``01a_layer`` is the first of lesson 1, ``m2_...`` the second
        piece of the museum of real bugs.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def short(self) -> str:
        """The name as far as the first underscore: ``01a``."""
        return self.name.partition("_")[0]

    @property
    def lesson(self) -> str:
        """The number of its lesson, such as ``"01"``; empty for a piece of the museum."""
        found = re.match(r"\d\d", self.name)
        return found[0] if found else ""

    @property
    def belongs_to(self) -> str:
        """Where it stands, in words."""
        stem = lesson_named(self.lesson) if self.lesson else None
        return f"lesson {stem or self.lesson}" if self.lesson else "the museum of real bugs"

    @cached_property
    def task(self) -> str:
        """What the learner's file begins as."""
        return self._read(TASK)

    @cached_property
    def solution(self) -> str:
        """A right answer; the text at its top explains it."""
        return self._read(SOLUTION)

    @property
    def title(self) -> str:
        """The first line of the task's text."""
        return docstring(self.task).partition("\n")[0].rstrip(".")

    @cached_property
    def grader(self) -> Grader:
        """How an answer is graded."""
        names = load(self.folder / GRADE, f"minigrad_exercise_{self.name}")
        return Grader(
            tuple(names["CHECKS"]),
            tuple(names["HINTS"]),
            names.get("WRONG", {}),
            names.get("NOT", {}),
            names.get("LIMIT", LIMIT),
        )

    def _read(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Grader:
    """What an exercise's ``grade.py`` says.

    Parameters
    ----------
    checks : tuple of Check
        ``CHECKS``: an answer is right when all pass. They run in this order.
    hints : tuple of str
        ``HINTS``, the vaguest first.
    wrong : mapping
        ``WRONG``: kinds of wrong answer that are made from the text of the solution, each a tuple
        of ``(old, new)`` replacements; see `minigrad.learn.exercises.zoo`.
    excused : mapping
        ``NOT``: kinds that are no wrong answer here, each with the reason.
    limit : float
        ``LIMIT``: the seconds that a check may take.
    """

    checks: tuple[Check, ...]
    hints: tuple[str, ...]
    wrong: Mapping[str, Sequence[tuple[str, str]]]
    excused: Mapping[str, str]
    limit: float = LIMIT

    @property
    def functions(self) -> tuple[str, ...]:
        """The learner's functions that are graded."""
        return tuple(dict.fromkeys(name for check in self.checks for name in check.functions))


def load(path: Path, name: str) -> dict[str, Any]:
    """Run a file as a module of this name; return its names."""
    return run_source(path.read_text(encoding="utf-8"), name, str(path))


def run_source(text: str, name: str, file: str) -> dict[str, Any]:
    """Run a text as a module of this name; return its names."""
    spec = importlib.util.spec_from_loader(name, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = file
    sys.modules[name] = module  # dataclasses look their module up
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def answer_of(text: str, file: str) -> Answer:
    """Run the text of an answer; return its functions."""
    return Answer(run_source(text, "answer", file))


def docstring(text: str) -> str:
    """Return the text at the top of a program."""
    return ast.get_docstring(ast.parse(text)) or ""


def find_exercises(folders: Sequence[Path] = FOLDERS) -> list[Exercise]:
    """Return the exercises in the order of their lessons, those of the museum last.

    Raises
    ------
    ExerciseError
        There are none.
    """
    for folder in folders:
        below = folder / "exercises"
        found = [path.parent for path in below.glob(f"*/{GRADE}")]
        museum = [path.parent for path in (below / MUSEUM).glob(f"*/{GRADE}")]
        if found or museum:
            by_name = sorted(found, key=_order) + sorted(museum, key=_order)
            return [Exercise(path) for path in by_name]
    looked = " and in ".join(str(folder / "exercises") for folder in folders)
    raise ExerciseError(
        f"no exercises were found (looked in {looked}); "
        "a whole checkout or an installed wheel has them"
    )


def _order(path: Path) -> tuple[str, ...]:
    return tuple(path.name.partition("_"))


def choose_exercise(exercises: Sequence[Exercise], word: str) -> Exercise:
    """Return the exercise of this name or short name.

    Raises
    ------
    ExerciseError
        There is none.
    """
    for exercise in exercises:
        if word in (exercise.name, exercise.short):
            return exercise
    there = ", ".join(exercise.short for exercise in exercises)
    raise ExerciseError(f"there is no exercise {word!r}; there are: {there}")
