"""What the words of the command line mean."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import minigrad
from minigrad.cli.book import add_book, run_book
from minigrad.cli.doctor import doctor
from minigrad.cli.errata import add_errata, run_errata
from minigrad.cli.exercises import ACTIONS, add_exercises, exercises_of, run_exercises
from minigrad.cli.explain import add_explain, run_explain
from minigrad.cli.extras import missing, pip_line
from minigrad.cli.gradcheck import add_gradcheck, run_gradcheck
from minigrad.cli.lessons import LessonError, choose, find_lessons
from minigrad.cli.runner import run_lesson
from minigrad.cli.summary import print_summary

PROGRAM = "python -m minigrad"
OUT = "lessons-output"


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say (default: those of this process); return the exit status.

    Raises
    ------
    SystemExit
        The words mean nothing (status 2), or ask for help or the version (status 0).

    Examples
    --------
    >>> from minigrad.cli import main
    >>> main(["lessons", "list"])
    01_forward_backward ...
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a folder's name may have letters the terminal lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _obey(list(sys.argv[1:] if words is None else words))
        sys.stdout.flush()
        return status
    except LessonError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # who reads has read enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere
        return 141


def _obey(words: list[str]) -> int:
    end = words.index("--") if "--" in words else len(words)
    parser, run_parser = _parsers()
    options, rest = parser.parse_known_args(words[:end])
    rest += words[end + 1 :]
    if options.command == "run":
        return _run(run_parser, options, rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "gradcheck":
        return run_gradcheck(options)
    if options.command == "explain":
        return run_explain(options)
    if options.command == "book":
        return run_book(options)
    if options.command == "errata":
        return run_errata(options)
    if options.command in ACTIONS:
        return run_exercises(options)
    return doctor() if options.command == "doctor" else _list()


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Return the parser, and that of ``lessons run``."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="minigrad's lessons, gradient checks, explanations, and a check-up.",
    )
    parser.add_argument("--version", action="version", version=f"minigrad {minigrad.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = "say what this machine has, and what to install for what it lacks"
    doctor_parser = commands.add_parser("doctor", help=check, description=check)
    doctor_parser.set_defaults(command="doctor")
    add_gradcheck(commands)
    add_explain(commands)
    add_book(commands)
    add_errata(commands)
    text = "list or run the lessons, and do their exercises"
    lessons = commands.add_parser("lessons", help=text, allow_abbrev=False)
    actions = lessons.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="print name and title of each")
    listing.set_defaults(command="list")
    run = actions.add_parser(
        "run",
        help="run some or all of them",
        # The numbers and the lesson's options are what argparse leaves over: it cannot mix a list
        # of numbers with options that it does not know.
        usage=f"{PROGRAM} lessons run [N ...] [--out DIR] [--device DEVICE] "
        "[option of the lesson ...]",
        description="Run lessons, each in a process of its own: those of the numbers N, or all. "
        "With exactly one lesson, all other options go to it: 'run 9 --data mnist'. "
        "'run 9 -- --help' prints the options of lesson 9.",
        allow_abbrev=False,
    )
    run.add_argument(
        "--out", default=OUT, type=Path, metavar="DIR", help=f"folder for pictures (default: {OUT})"
    )
    run.add_argument("--device", help="of all of them: cpu (the default), cuda or cuda:N")
    run.set_defaults(command="run")
    add_exercises(actions)
    return parser, run


def _list() -> int:
    lessons = find_lessons()
    width = max(len(lesson.stem) for lesson in lessons)
    for lesson in lessons:
        print(f"{lesson.stem:{width}}  {lesson.title}")
    return 0


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]) -> int:
    names = list(takewhile(lambda word: not word.startswith("-"), rest))
    words = list(rest[len(names) :])
    chosen = choose(find_lessons(), names)
    if words and len(chosen) != 1:
        example = f"{PROGRAM} lessons run {chosen[-1].number} {' '.join(words)}"
        parser.error(
            f"options of a lesson ({' '.join(words)}) go with exactly one lesson, and its number "
            f"comes before them, as in: {example}"
        )
    if absent := missing("lessons"):
        cure = pip_line("lessons")
        print(f"error: the lessons need {', '.join(absent)}; install with: {cure}", file=sys.stderr)
        return 1
    if options.device is not None:
        words += ["--device", options.device]
    out = options.out.absolute()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {out} cannot be made a folder: {error.strerror}")
    print(f"pictures go to {out}")
    outcomes = []
    for lesson in chosen:
        print(f"\n==== {lesson.stem}")
        outcomes.append(run_lesson(lesson, out, words))
    print()
    print_summary(outcomes)
    if any(outcome.status for outcome in outcomes):
        return 1
    if len(chosen) == 1 and (exercises := exercises_of(chosen[0].number)):
        print(f"{len(exercises)} exercises: {PROGRAM} lessons next {chosen[0].number}")
    return 0
