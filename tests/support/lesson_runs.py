"""Each lesson run once in a session of pytest, whichever worker and test asks for it first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "lessons").glob("[0-9]*.py"))
PICTURES = "pictures"
WAIT = 600  # seconds for a run that another worker has begun


@dataclass(frozen=True)
class LessonRun:
    """What a run printed, and the folder that it ran in; its pictures are in `PICTURES`."""

    status: int
    stdout: str
    stderr: str
    folder: str


def run(lesson: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a lesson from another folder."""
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    return subprocess.run(
        [sys.executable, str(lesson), *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        cwd=cwd,
        check=False,
    )


def lesson_run(lesson: Path, factory: pytest.TempPathFactory) -> LessonRun:
    """Run a lesson, or return what its run in this session was."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a folder of its own in the session's
        base = base.parent
    folder, result = base / f"run-{lesson.stem}", base / f"run-{lesson.stem}.json"
    try:
        folder.mkdir()
    except FileExistsError:  # begun already
        end = time.monotonic() + WAIT
        while not result.exists():
            assert time.monotonic() < end, f"{lesson.stem} was begun and did not end"
            time.sleep(0.1)
        return LessonRun(**json.loads(result.read_text(encoding="utf-8")))
    done = run(lesson, folder, "--out", PICTURES)
    found = LessonRun(done.returncode, done.stdout, done.stderr, str(folder))
    written = result.with_suffix(".part")
    written.write_text(json.dumps(asdict(found)), encoding="utf-8")
    written.rename(result)
    return found
