"""A learner's folder: their files, and how far they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from minigrad.io.atomic import write_atomic
from minigrad.learn.exercises.exercise import Exercise, ExerciseError, choose_exercise

FOLDER = "minigrad-exercises"
PROGRESS = "progress.json"
VERSION = 1


@dataclass
class Progress:
    """How far a learner is.

    Attributes
    ----------
    current : str
        The exercise that is being worked on; empty for none.
    passed : dict
        The seed with which each exercise passed first, by its name.
    hints : dict
        How many hints were given, by name.
    """

    current: str = ""
    passed: dict[str, int] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)


class Desk:
    """A learner's folder.

    Parameters
    ----------
    folder : pathlib.Path
        It is made when something is to be written there.
    exercises : sequence of Exercise
        All that there are, in their order.

    Raises
    ------
    ExerciseError
        The progress file is not to be read.
    """

    def __init__(self, folder: Path, exercises: Sequence[Exercise]) -> None:
        self.folder, self.exercises = folder, list(exercises)
        self.progress = self._read()

    def file(self, exercise: Exercise) -> Path:
        """Return where the learner's answer is, or will be."""
        return self.folder / f"{exercise.name}.py"

    def passed(self, exercise: Exercise) -> bool:
        """Say whether an exercise was passed."""
        return exercise.name in self.progress.passed

    def named(self, word: str | None) -> Exercise:
        """Return the exercise of a name, or the current one.

        Raises
        ------
        ExerciseError
            There is none.
        """
        if word is not None:
            return choose_exercise(self.exercises, word)
        for exercise in self.exercises:
            if exercise.name == self.progress.current:
                return exercise
        raise ExerciseError(
            f"no exercise has been begun in {self.folder}: 'lessons next' begins the first one"
        )

    def upcoming(self, word: str | None) -> Exercise | None:
        """Return what is to be done next: the current one until it is passed, or what is named.

        A word may be a lesson's number: then it is the first of that lesson that is not passed.

        Raises
        ------
        ExerciseError
            The word names none.
        """
        if word is not None and word.isdecimal():
            of_lesson = [e for e in self.exercises if e.lesson == f"{int(word):02d}"]
            if not of_lesson:
                raise ExerciseError(
                    f"there is no exercise for lesson {word}; 'lessons exercises' lists all"
                )
            return next((e for e in of_lesson if not self.passed(e)), of_lesson[0])
        if word is not None:
            return choose_exercise(self.exercises, word)
        for exercise in self.exercises:
            if exercise.name == self.progress.current and not self.passed(exercise):
                return exercise
        return next((e for e in self.exercises if not self.passed(e)), None)

    def begin(self, exercise: Exercise) -> bool:
        """Make an exercise the current one; write its file unless it is there; say if it was not.

        Nothing that the learner wrote is overwritten.
        """
        self._open()
        path = self.file(exercise)
        is_new = not path.exists()
        if is_new:
            write_atomic(path, exercise.task.encode("utf-8"))
        self.progress.current = exercise.name
        self._write()
        return is_new

    def reset(self, exercise: Exercise) -> Path | None:
        """Write an exercise's file as it was at first; return where the old one is kept.

        The exercise counts as not passed, and its hints as not given.
        """
        self._open()
        path, kept = self.file(exercise), None
        if path.exists():
            kept = self._backup(path)
            shutil.copy2(path, kept)
        write_atomic(path, exercise.task.encode("utf-8"))
        self.progress.passed.pop(exercise.name, None)
        self.progress.hints.pop(exercise.name, None)
        self.progress.current = exercise.name
        self._write()
        return kept

    def answer(self, exercise: Exercise) -> Path:
        """Return the learner's file.

        Raises
        ------
        ExerciseError
            It is not there.
        """
        path = self.file(exercise)
        if not path.is_file():
            raise ExerciseError(f"{path} is not there: 'lessons next {exercise.short}' writes it")
        return path

    def note_pass(self, exercise: Exercise, seed: int) -> None:
        """Remember that an exercise was passed."""
        self._open()
        self.progress.passed.setdefault(exercise.name, seed)
        self._write()

    def next_hint(self, exercise: Exercise) -> tuple[int, str]:
        """Return the number and text of the next hint; the last one again after the last."""
        self._open()
        hints = exercise.grader.hints
        number = min(self.progress.hints.get(exercise.name, 0) + 1, len(hints))
        self.progress.hints[exercise.name] = number
        self._write()
        return number, hints[number - 1]

    def _backup(self, path: Path) -> Path:
        """Return a name for a backup that is not taken."""
        number = 1
        while (kept := path.with_name(f"{path.stem}.backup-{number}.py")).exists():
            number += 1
        return kept

    def _open(self) -> None:
        """Make the folder, and read what another command may have written in the meantime."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExerciseError(
                f"{self.folder} cannot be made a folder: {error.strerror}; name another with "
                "--folder"
            ) from None
        self.progress = self._read()

    def _read(self) -> Progress:
        path = self.folder / PROGRESS
        try:
            kept: Any = json.loads(path.read_text(encoding="utf-8"))
            version = kept.pop("version")
            progress = Progress(**kept)
            sound = isinstance(progress.current, str) and all(
                isinstance(of, dict) and all(isinstance(n, int) for n in of.values())
                for of in (progress.passed, progress.hints)
            )
        except (FileNotFoundError, NotADirectoryError):
            return Progress()
        except (AttributeError, KeyError, TypeError, ValueError):
            version, sound, progress = VERSION, False, Progress()
        if version != VERSION or not sound:
            raise ExerciseError(
                f"{path} is not a progress file of this minigrad; rename it, and begin anew: your "
                "answers stay"
            )
        return progress

    def _write(self) -> None:
        text = json.dumps({"version": VERSION, **asdict(self.progress)}, indent=1)
        write_atomic(self.folder / PROGRESS, (text + "\n").encode("utf-8"))
