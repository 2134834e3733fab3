"""Run one lesson in a process of its own, and say how it went."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minigrad.cli.lessons import Lesson
from minigrad.learn.environment import environment

PICTURES = {".gif", ".html", ".png", ".svg"}


@dataclass(frozen=True)
class Outcome:
    """How a run of a lesson ended.

    Attributes
    ----------
    lesson : Lesson
        What was run.
    status : int
        The exit status of its process; 0 is success, a negative one is the signal that killed it.
    pictures : tuple of str
        The names of the pictures that it wrote.
    seconds : float
        How long it took.
    """

    lesson: Lesson
    status: int
    pictures: tuple[str, ...]
    seconds: float

    @property
    def result(self) -> str:
        """In words."""
        if self.status == 0:
            return "ok"
        what = f"exit status {self.status}" if self.status > 0 else f"signal {-self.status}"
        return f"FAILED ({what})"


def run_lesson(lesson: Lesson, out: Path, words: Sequence[str] = ()) -> Outcome:
    """Run a lesson; what it prints goes where this process prints.

    Parameters
    ----------
    lesson : Lesson
        Its script is run as ``python SCRIPT --out OUT WORDS``.
    out : pathlib.Path
        The folder for its pictures, which exists.
    words : sequence of str
        More of its command line.
    """
    before = _times(out, lesson)
    sys.stdout.flush()  # or the lesson's lines would come before those above them
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(lesson.path), "--out", str(out), *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    seconds = time.perf_counter() - start
    after = _times(out, lesson)
    written = tuple(sorted(name for name in after if after[name] != before.get(name)))
    return Outcome(lesson, done.returncode, written, seconds)


def _times(out: Path, lesson: Lesson) -> dict[str, int]:
    """Return when each picture of a lesson was written."""
    found = (path for path in out.glob(f"{lesson.stem}*") if path.suffix in PICTURES)
    return {path.name: path.stat().st_mtime_ns for path in found}
