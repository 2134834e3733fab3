"""The process that runs a learner's file and grades it: it may hang, crash, or exit.

``python -m minigrad.learn.exercises.worker`` reads what to grade from its standard input, and
writes the grade to a file, with a word that the learner's program has not seen.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from minigrad.learn.exercises.checks import Check
from minigrad.learn.exercises.exercise import Exercise, answer_of
from minigrad.learn.exercises.grading import Grade, grade, what_was_raised

READING = "the file runs"


def main() -> None:
    """Grade what the standard input names."""
    order = json.loads(sys.stdin.read())
    exercise, path = Exercise(Path(order["exercise"])), Path(order["file"])
    sys.path.append(str(path.parent))  # behind all others: a file beside it hides no module
    checks = exercise.grader.checks
    found = _grade(path, checks, order["seed"])
    Path(order["result"]).write_text(
        json.dumps({"word": order["word"], **asdict(found)}), encoding="utf-8"
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread of the learner's does not keep it alive


def _grade(path: Path, checks: Sequence[Check], seed: int) -> Grade:
    try:
        answer = answer_of(path.read_text(encoding="utf-8"), str(path))
    except BaseException as error:  # whatever a learner's program may do, exit() included
        return Grade((), READING, what_was_raised(error, str(path)))
    found = grade(answer, checks, seed, str(path))
    return Grade((READING, *found.done), found.failed, found.message)


if __name__ == "__main__":
    main()
