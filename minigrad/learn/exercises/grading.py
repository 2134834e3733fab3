"""Grade an answer: run its checks in order, until one does not pass."""

from __future__ import annotations

import linecache
import secrets
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from minigrad.backend import manual_seed
from minigrad.learn.exercises.checks import Answer, Check
from minigrad.learn.exercises.compare import WrongAnswerError

FRAMES = 6  # of the learner's own file, the last ones


@dataclass(frozen=True)
class Grade:
    """What became of an answer.

    Parameters
    ----------
    done : tuple of str
        The checks that passed.
    failed : str
        The one that did not; empty if all passed.
    message : str
        What was wrong.
    flaw : str
        The error, if it was the grader that raised it and not the learner's program: then the
        message is of little use to the learner, and the grader should be mended.
    """

    done: tuple[str, ...]
    failed: str = ""
    message: str = ""
    flaw: str = ""

    @property
    def passed(self) -> bool:
        """Whether all checks passed, and there was one."""
        return bool(self.done) and not self.failed


def grade(answer: Answer, checks: Sequence[Check], seed: int, file: str = "") -> Grade:
    """Run the checks on an answer; ``seed`` draws every input.

    Parameters
    ----------
    file : str
        The learner's file, whose lines an error is shown with.
    """
    done: list[str] = []
    for number, check in enumerate(checks):
        manual_seed(seed)
        try:
            check.run(answer, np.random.default_rng([seed, number]))
        except WrongAnswerError as error:
            return Grade(tuple(done), check.what, str(error))
        except BaseException as error:  # whatever a learner's program may do, exit() included
            message, flaw = what_was_raised(error, file), ""
            if not _passed_through(error.__traceback__, answer):
                flaw = "".join(traceback.format_exception(error))
            return Grade(tuple(done), check.what, message, flaw)
        done.append(check.what)
    return Grade(tuple(done))


def what_was_raised(error: BaseException, file: str) -> str:
    """Return an error of the learner's program, with the lines of their own file."""
    if isinstance(error, SystemExit):
        return "the program ended itself (exit, quit or SystemExit); a function must return"
    kind, text = type(error).__name__, str(error)
    if isinstance(error, SyntaxError):
        line = f"\n    {error.text.strip()}" if error.text else ""
        return f"line {error.lineno}{line}\n{kind}: {error.msg}"
    lines = [f"line {number}\n    {code}" for number, code in _own_lines(error.__traceback__, file)]
    if isinstance(error, NotImplementedError) and not text:
        text = "this part is still to be written"
    return "\n".join([*lines[-FRAMES:], f"{kind}: {text}" if text else kind])


def _own_lines(trace: TracebackType | None, file: str) -> list[tuple[int, str]]:
    return [
        (number, linecache.getline(file, number).strip())
        for frame, number in traceback.walk_tb(trace)
        if frame.f_code.co_filename == file
    ]


def _passed_through(trace: TracebackType | None, answer: Answer) -> bool:
    """Say whether an error came through one of the learner's functions."""
    own = answer.names.get("__file__")
    codes = [frame.f_code for frame, _ in traceback.walk_tb(trace)]
    return any(code is Answer.call.__code__ or code.co_filename == own for code in codes)


def fresh_seed() -> int:
    """Return a seed that nobody can foresee."""
    return secrets.randbelow(1_000_000)
