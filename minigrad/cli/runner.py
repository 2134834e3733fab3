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
from minigrad.learn.records import LessonRecord, read_record, record_path

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
    record : LessonRecord or None
        The claims that it judged; None if it did not come to its end, or keeps none.
    printed : str
        What it printed, if that was kept back.
    """

    lesson: Lesson
    status: int
    pictures: tuple[str, ...]
    seconds: float
    record: LessonRecord | None = None
    printed: str = ""

    @property
    def result(self) -> str:
        """In words."""
        if self.status == 0:
            return "ok"
        what = f"exit status {self.status}" if self.status > 0 else f"signal {-self.status}"
        return f"FAILED ({what})"


def run_lesson(
    lesson: Lesson, out: Path, words: Sequence[str] = (), *, quiet: bool = False
) -> Outcome:
    """Run a lesson; what it prints goes where this process prints.

    Parameters
    ----------
    lesson : Lesson
        Its script is run as ``python SCRIPT --out OUT WORDS``.
    out : pathlib.Path
        The folder for its pictures, which exists.
    words : sequence of str
        More of its command line.
    quiet : bool
        Keep back what it prints.
    """
    before = _times(out, lesson)
    sys.stdout.flush()  # or the lesson's lines would come before those above them
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(lesson.path), "--out", str(out), *words],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    seconds = time.perf_counter() - start
    after = _times(out, lesson)
    written = {name for name in after if after[name] != before.get(name)}
    kept = record_path(out, lesson.stem)
    return Outcome(
        lesson,
        done.returncode,
        tuple(sorted(name for name in written if Path(name).suffix in PICTURES)),
        seconds,
        read_record(kept) if kept.name in written else None,
        done.stdout or "",
    )


def _times(out: Path, lesson: Lesson) -> dict[str, int]:
    """Return when each file of a lesson was written."""
    found = out.glob(f"{lesson.stem}*")
    return {path.name: path.stat().st_mtime_ns for path in found if path.is_file()}
