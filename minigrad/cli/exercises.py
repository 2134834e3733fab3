"""``python -m minigrad lessons next``, ``check``, ``hint`` ...: the exercises of the lessons."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from minigrad.learn.exercises.desk import FOLDER, PROGRESS, Desk
from minigrad.learn.exercises.exercise import (
    Exercise,
    ExerciseError,
    choose_exercise,
    docstring,
    find_exercises,
)
from minigrad.learn.exercises.grading import fresh_seed
from minigrad.learn.exercises.process import Report, grade_file

PROGRAM = "python -m minigrad lessons"
POLL = 0.3  # seconds between two looks at a file
ZOO_SEED = 1
ACTIONS = {
    "next": "write the file of the next exercise, and name it; or of the one that is named",
    "check": "grade an answer",
    "hint": "give the next hint",
    "solution": "show the solution and its explanation, after a pass",
    "reset": "write the file as it was at first; what you wrote is kept beside it",
    "watch": "grade an answer whenever its file changes, until Ctrl-C",
    "exercises": "list all, and how far you are",
    "zoo": "grade wrong answers of all kinds, and print how many are refused (the kill table)",
}


def add_exercises(actions: Any) -> None:
    """Add the commands to the actions of ``lessons``."""
    for action, text in ACTIONS.items():
        parser = actions.add_parser(
            action,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            allow_abbrev=False,
        )
        parser.set_defaults(command=action)
        if action == "zoo":
            parser.add_argument("names", nargs="*", metavar="EXERCISE", help="default: all")
            parser.add_argument("--seed", type=_zoo_seed, default=ZOO_SEED, metavar="N")
            continue
        parser.add_argument(
            "--folder", default=FOLDER, metavar="DIR", type=Path,
            help=f"of your answers and {PROGRESS} (default: {FOLDER})",
        )  # fmt: skip
        if action != "exercises":
            meaning = "its name, or that up to the underscore: 01a (default: the current one)"
            if action == "next":
                meaning = "an exercise, such as 01a, or a lesson's number (default: the next)"
            parser.add_argument("name", nargs="?", metavar="EXERCISE", help=meaning)
        if action == "check":
            parser.add_argument(
                "--seed", type=_seed, metavar="N",
                help="draw the inputs of an earlier check again (default: new ones each time)",
            )  # fmt: skip


def run_exercises(options: argparse.Namespace) -> int:
    """Do what the options say; return 0, 1 for a wrong answer, 2 if there was nothing to do."""
    try:
        exercises = find_exercises()
        if options.command == "zoo":
            return _zoo(exercises, options.names, options.seed)
        desk = Desk(options.folder, exercises)
        command = {
            "next": _next, "check": _check, "hint": _hint, "solution": _solution,
            "reset": _reset, "watch": _watch, "exercises": _list,
        }[options.command]  # fmt: skip
        return command(desk, options)
    except BrokenPipeError:  # who reads has read enough, which is no error
        raise
    except (ExerciseError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def exercises_of(number: int) -> list[str]:
    """Return the names of a lesson's exercises."""
    try:
        return [e.name for e in find_exercises() if e.lesson == f"{number:02d}"]
    except ExerciseError:  # lessons of somebody's own have none
        return []


def _next(desk: Desk, options: argparse.Namespace) -> int:
    exercise = desk.upcoming(options.name)
    if exercise is None:
        print(f"all {len(desk.exercises)} exercises are passed")
        return 0
    is_new = desk.begin(exercise)
    number = desk.exercises.index(exercise) + 1
    print(f"exercise {exercise.name} ({number} of {len(desk.exercises)}): {exercise.title}")
    print(f"  to       {exercise.belongs_to}")
    print(f"  file     {desk.file(exercise)}" + ("" if is_new else " (as you left it)"))
    if desk.passed(exercise):
        print("  state    passed; change it as you like")
    else:
        print(f"  then     {_command('check', options)}")
        print(f"  stuck?   {_command('hint', options)}")
    return 0


def _check(desk: Desk, options: argparse.Namespace) -> int:
    exercise = desk.named(options.name)
    path = desk.answer(exercise)
    seed = fresh_seed() if options.seed is None else options.seed
    return _grade(desk, exercise, path, seed, options)


def _grade(
    desk: Desk, exercise: Exercise, path: Path, seed: int, options: argparse.Namespace
) -> int:
    """Grade and report; return 0 for a pass."""
    report = grade_file(exercise, path, seed)
    _print_report(exercise, path, report, options)
    if not report.grade.passed:
        return 1
    desk.note_pass(exercise, seed)
    done = sum(map(desk.passed, desk.exercises))
    name = _if_named(exercise, options)
    print(f"passed: {done} of {len(desk.exercises)} exercises are done")
    print(f"  why it is so   {_command('solution', options, name)}")
    print(f"  go on          {_command('next', options)}")
    return 0


def _print_report(
    exercise: Exercise, path: Path, report: Report, options: argparse.Namespace
) -> None:
    print(f"{exercise.name}: {path}")
    if report.printed:
        print("  your program prints")
        print(textwrap.indent(report.printed.rstrip("\n"), "    "))
    grade = report.grade
    for what in grade.done:
        print(f"  ok       {what}")
    if grade.passed:
        print(f"  seed {report.seed}")
        return
    print(f"  WRONG    {grade.failed}")
    print(textwrap.indent(grade.message, "           "))
    again = _command("check", options, exercise.short)
    print(f"  the same inputs again: {again} --seed {report.seed}")
    print(f"  stuck? {_command('hint', options, _if_named(exercise, options))}")


def _hint(desk: Desk, options: argparse.Namespace) -> int:
    exercise = desk.named(options.name)
    number, text = desk.next_hint(exercise)
    count = len(exercise.grader.hints)
    print(f"{exercise.name}, hint {number} of {count}" + (", the last" if number == count else ""))
    print(textwrap.indent(textwrap.fill(text, 96), "  "))
    return 0


def _solution(desk: Desk, options: argparse.Namespace) -> int:
    exercise = desk.named(options.name)
    if not desk.passed(exercise):
        print(
            f"error: the solution of {exercise.name} is shown when your own answer has passed: "
            f"{_command('check', options, _if_named(exercise, options))}, or "
            f"{_command('hint', options, _if_named(exercise, options))}",
            file=sys.stderr,
        )
        return 1
    text = docstring(exercise.solution)
    code = exercise.solution.split('"""', 2)[2].strip("\n")
    print(f"{exercise.name}: {exercise.title}\n\n{text}\n\n{textwrap.indent(code, '    ')}")
    return 0


def _reset(desk: Desk, options: argparse.Namespace) -> int:
    exercise = desk.named(options.name)
    kept = desk.reset(exercise)
    print(f"{desk.file(exercise)} is as it was at first")
    if kept is not None:
        print(f"what you had is kept in {kept}")
    return 0


def _watch(desk: Desk, options: argparse.Namespace) -> int:
    """Grade whenever the file changes; without a name, follow what is current."""
    desk.named(options.name)
    print("watching; Ctrl-C ends it", flush=True)
    seen: tuple[Path, tuple[int, int] | None] | None = None
    while True:
        desk = Desk(options.folder, desk.exercises)  # 'next' may run in another window
        exercise = desk.named(options.name)
        path = desk.file(exercise)
        now = (path, _state(path))
        if now != seen:
            seen = now
            if now[1] is None:
                print(f"{path} is not there (yet)", flush=True)
            else:
                print(f"\n---- {time.strftime('%H:%M:%S')}")
                _grade(desk, exercise, path, fresh_seed(), options)
                sys.stdout.flush()
        time.sleep(POLL)


def _state(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; None if it is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:  # an editor is between removing and renaming
        return None
    return found.st_mtime_ns, found.st_size


def _list(desk: Desk, options: argparse.Namespace) -> int:
    width = max(len(exercise.name) for exercise in desk.exercises)
    for exercise in desk.exercises:
        state = "passed" if desk.passed(exercise) else ""
        if not state and exercise.name == desk.progress.current:
            state = "current"
        print(f"{state:8}{exercise.name:{width}}  {exercise.title}")
    done = sum(map(desk.passed, desk.exercises))
    print(f"{done} of {len(desk.exercises)} passed")
    return 0


def _zoo(exercises: list[Exercise], names: list[str], seed: int) -> int:
    # Here and not above, so that the other commands start fast
    from minigrad.learn.exercises.zoo import kill_table, kills

    chosen = [choose_exercise(exercises, name) for name in names] or exercises
    rows = [kills(exercise, seed) for exercise in chosen]
    print(kill_table(rows))
    return 0 if all(row.sound for row in rows) else 1


def _command(action: str, options: argparse.Namespace, name: str = "") -> str:
    """Return a command line for the same folder."""
    folder = "" if str(options.folder) == FOLDER else f" --folder {options.folder}"
    return f"{PROGRAM} {action}{' ' + name if name else ''}{folder}"


def _if_named(exercise: Exercise, options: argparse.Namespace) -> str:
    return exercise.short if options.name is not None else ""


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _zoo_seed(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number from 1 (the hard-coded answers know the inputs of 0)"
        )
    return int(text)
