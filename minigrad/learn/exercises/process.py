"""Run a learner's file in a process of its own, with a time limit, and say how it went."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from minigrad.learn.environment import environment
from minigrad.learn.exercises.exercise import Exercise
from minigrad.learn.exercises.grading import Grade

PRINTED = 4000  # characters of what a learner's program prints that are shown
WORKER = "minigrad.learn.exercises.worker"
RUNNING = "the program comes to its end"


@dataclass(frozen=True)
class Report:
    """What became of a learner's file.

    Parameters
    ----------
    grade : Grade
        The checks that passed, and the one that did not.
    printed : str
        What the program printed itself.
    seed : int
        Draws the same inputs again.
    """

    grade: Grade
    printed: str
    seed: int


def grade_file(exercise: Exercise, file: Path, seed: int, limit: float | None = None) -> Report:
    """Grade a learner's file.

    Parameters
    ----------
    limit : float, optional
        The seconds that it may take; default the exercise's.
    """
    limit = exercise.grader.limit if limit is None else limit
    word = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "grade.json"
        order = {
            "exercise": str(exercise.folder), "file": str(file.absolute()), "seed": seed,
            "word": word, "result": str(result),
        }  # fmt: skip
        status, printed = _run(json.dumps(order), limit)
        found = _read(result, word)
    if found is None:
        found = Grade((), RUNNING, _why_none(status, limit))
    return Report(found, printed, seed)


def _run(order: str, limit: float) -> tuple[int | None, str]:
    """Run the worker; return its exit status (None: it took too long) and what was printed."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", WORKER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=environment(), encoding="utf-8", errors="backslashreplace",
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        kept: list[str] = []
        reader = threading.Thread(target=_keep, args=(process.stdout, kept), daemon=True)
        reader.start()
        try:
            process.stdin.write(order)
            process.stdin.close()
            status: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        except BrokenPipeError:  # it died at once
            status = process.wait(limit)
        finally:
            _stop(process)
        reader.join()
    return status, "".join(kept)


def _stop(process: subprocess.Popen[str]) -> None:
    """End the worker, and what the learner's program may have started."""
    if os.name != "posix":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _keep(stream: IO[str], kept: list[str]) -> None:
    """Read to the end, and keep the beginning: a program may print without end."""
    room = PRINTED
    while text := stream.read(256):
        if room > 0:
            kept.append(text[:room])
            room -= len(text)
            if room <= 0:
                kept.append("\n... (more was printed)\n")


def _read(result: Path, word: str) -> Grade | None:
    """Return the grade that the worker wrote, if it is the worker's."""
    try:
        found = json.loads(result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.pop("word", None) != word:
        return None
    return Grade(tuple(found["done"]), found["failed"], found["message"])


def _why_none(status: int | None, limit: float) -> str:
    if status is None:
        return (
            f"it was stopped after {limit:g} seconds: is there a loop without end, or one over "
            "single numbers where arrays would do?"
        )
    if status < 0:
        return f"the process crashed (signal {-status}): too much memory, or too deep a recursion?"
    return f"the program ended the process itself, with status {status}, before it was graded"
