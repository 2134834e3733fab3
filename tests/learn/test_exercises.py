"""Every exercise: its solution passes, every wrong answer of the zoo is refused, its form is kept.

So that a new exercise needs no test of its own.
"""

from __future__ import annotations

import ast
import doctest
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.learn.exercises.checks import Answer
from minigrad.learn.exercises.exercise import (
    GRADE,
    SOLUTION,
    TASK,
    Exercise,
    answer_of,
    docstring,
    find_exercises,
    run_source,
)
from minigrad.learn.exercises.grading import grade
from minigrad.learn.exercises.zoo import KINDS, kills

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
EXERCISES = find_exercises([LESSONS])
SEEDS = (2, 3)
FOREIGN = {"minigrad", "numpy"}


@pytest.fixture(params=EXERCISES, ids=lambda exercise: exercise.name)
def exercise(request: pytest.FixtureRequest) -> Exercise:
    return request.param


def functions(text: str) -> dict[str, str | None]:
    """Return the docstrings of a program's functions and classes."""
    return {
        node.name: ast.get_docstring(node)
        for node in ast.parse(text).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


@pytest.mark.slow
def test_it_stands_against_the_zoo(exercise: Exercise) -> None:
    row = kills(exercise, seed=1)
    assert row.solution.passed, row.solution
    survivors = {kind: cell.survivors for kind, cell in row.cells.items() if cell.survivors}
    assert survivors == {}, f"wrong answers to {exercise.name} pass: {survivors}"
    flaws = [flaw for cell in row.cells.values() for flaw in cell.flaws]
    assert flaws == [], f"the grader of {exercise.name} raises: it should say what is wrong"
    assert row.cells["unedited"].killed == 1
    own = [kind for kind in exercise.grader.wrong if row.cells[kind].of]
    assert len(own) == len(exercise.grader.wrong)
    assert "missing term" in own
    assert "typical mistake" in own


@pytest.mark.parametrize("seed", SEEDS)
def test_the_solution_passes_with_every_seed(exercise: Exercise, seed: int) -> None:
    checks = exercise.grader.checks
    found = grade(answer_of(exercise.solution, SOLUTION), checks, seed)
    assert found.passed, found


def test_what_is_excused_has_a_reason(exercise: Exercise) -> None:
    for kind, reason in exercise.grader.excused.items():
        assert kind in KINDS
        assert len(reason.split()) > 4


def test_the_task_is_complete(exercise: Exercise) -> None:
    assert re.fullmatch(r"\d\d[a-z]_[a-z0-9_]+|m\d_[a-z0-9_]+", exercise.name)
    assert (exercise.folder.parent.name == "museum") == (exercise.lesson == "")
    title, empty, *rest = docstring(exercise.task).splitlines()
    assert title.endswith(".")
    assert len(title) < 80
    assert empty == ""
    assert rest
    assert len(docstring(exercise.solution)) > 200, "the explanation is short"
    assert len(exercise.grader.hints) >= 2
    given, right = functions(exercise.task), functions(exercise.solution)
    for name in exercise.grader.functions:
        assert name in given, f"the task has no {name}"
        assert given[name] == right[name], f"the docstrings of {name} differ"
        assert given[name]


def test_a_skeleton_has_an_example_or_is_a_program_with_a_bug(exercise: Exercise) -> None:
    find = exercise.title.startswith(("Find the bug", "Museum"))
    skeleton = "raise NotImplementedError" in exercise.task
    assert find != skeleton
    if skeleton:
        assert ">>> " in exercise.task


@pytest.mark.parametrize(
    "exercise",
    [exercise for exercise in EXERCISES if "raise NotImplementedError" not in exercise.task],
    ids=lambda exercise: exercise.name,
)
def test_a_program_with_a_bug_runs_as_it_stands(exercise: Exercise) -> None:
    """A crash would give the bug away."""
    for seed in SEEDS:
        with np.errstate(all="ignore"):
            found = grade(answer_of(exercise.task, TASK), exercise.grader.checks, seed)
        assert not found.passed
        assert not re.search(r"^\w+Error\b", found.message, flags=re.MULTILINE), found.message


def test_its_examples_hold(exercise: Exercise) -> None:
    names = run_source(exercise.solution, f"solution_{exercise.name}", SOLUTION)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    parser = doctest.DocTestParser()
    for name, text in functions(exercise.solution).items():
        runner.run(parser.get_doctest(text or "", dict(names), name, SOLUTION, 0))
    assert runner.failures == 0


def test_its_files_are_plain(exercise: Exercise) -> None:
    for file in (TASK, SOLUTION, GRADE):
        text = (exercise.folder / file).read_text(encoding="utf-8")
        assert text.isascii(), file
        assert max(map(len, text.splitlines())) <= 100, file
    for text in (exercise.task, exercise.solution):
        imported = {
            (alias.name if isinstance(node, ast.Import) else str(node.module)).partition(".")[0]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
        assert imported - sys.stdlib_module_names <= FOREIGN


def test_names_are_unique() -> None:
    shorts = [exercise.short for exercise in EXERCISES]
    assert len(set(shorts)) == len(shorts)
    assert [e.name for e in EXERCISES] == sorted(e.name for e in EXERCISES)


def test_each_lesson_has_two_and_one_of_them_is_a_bug() -> None:
    lessons = {exercise.lesson for exercise in EXERCISES if exercise.lesson}
    assert {"01", "02", "03", "04", "05", "09"} <= lessons
    for lesson in lessons:
        of_it = [exercise for exercise in EXERCISES if exercise.lesson == lesson]
        assert len(of_it) >= 2, lesson
        assert list(LESSONS.glob(f"{lesson}_*.py")), f"there is no lesson {lesson}"
    bugs = [e for e in EXERCISES if e.title.startswith("Find the bug")]
    assert len(bugs) >= 5


def test_each_lesson_names_them() -> None:
    for lesson in {exercise.lesson for exercise in EXERCISES if exercise.lesson}:
        (path,) = LESSONS.glob(f"{lesson}_*.py")
        line = f"`python -m minigrad lessons next {int(lesson)}`"
        assert line in path.read_text(encoding="utf-8"), f"{path.name} does not say {line}"


def test_an_answer_without_the_function_is_told_so(exercise: Exercise) -> None:
    found = grade(Answer({}), exercise.grader.checks, 1)
    assert not found.passed
    assert found.message.startswith("there is no '")
