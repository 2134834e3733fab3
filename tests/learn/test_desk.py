"""The learner's folder: nothing is overwritten, and what was reached is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minigrad.learn.exercises.desk import PROGRESS, Desk
from minigrad.learn.exercises.exercise import ExerciseError, find_exercises

EXERCISES = find_exercises()
FIRST, SECOND = EXERCISES[:2]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "a" / "b", EXERCISES)


def again(desk: Desk) -> Desk:
    """Return the desk as the next command finds it."""
    return Desk(desk.folder, EXERCISES)


def test_nothing_is_written_before_the_first_exercise(desk: Desk) -> None:
    assert desk.upcoming(None) == FIRST
    assert not desk.folder.exists()
    with pytest.raises(ExerciseError, match="'lessons next' begins the first one"):
        desk.named(None)


def test_begin_writes_the_task_once(desk: Desk) -> None:
    assert desk.begin(FIRST)
    path = desk.file(FIRST)
    assert path.read_text(encoding="utf-8") == FIRST.task
    path.write_text("mine\n", encoding="utf-8")
    assert not again(desk).begin(FIRST)
    assert path.read_text(encoding="utf-8") == "mine\n"
    assert again(desk).named(None) == FIRST
    assert sorted(p.name for p in desk.folder.iterdir()) == [path.name, PROGRESS]


def test_the_order_of_things(desk: Desk) -> None:
    desk.begin(FIRST)
    assert again(desk).upcoming(None) == FIRST
    desk.note_pass(FIRST, 12)
    assert again(desk).upcoming(None) == SECOND
    assert again(desk).progress.passed == {FIRST.name: 12}
    desk.note_pass(FIRST, 13)
    assert again(desk).progress.passed == {FIRST.name: 12}
    later = EXERCISES[4]
    desk.begin(later)
    assert again(desk).upcoming(None) == later
    desk.note_pass(later, 1)
    assert again(desk).upcoming(None) == SECOND
    for exercise in EXERCISES:
        desk.note_pass(exercise, 1)
    assert again(desk).upcoming(None) is None


def test_two_commands_at_once_lose_nothing(desk: Desk) -> None:
    desk.begin(FIRST)
    watching = again(desk)
    again(desk).begin(SECOND)
    watching.note_pass(FIRST, 1)
    assert again(desk).named(None) == SECOND
    assert again(desk).passed(FIRST)


def test_next_of_a_lesson_or_a_name(desk: Desk) -> None:
    third = [exercise for exercise in EXERCISES if exercise.lesson == "03"]
    assert desk.upcoming("3") == desk.upcoming("03") == third[0]
    desk.note_pass(third[0], 1)
    assert desk.upcoming("3") == third[1]
    assert desk.upcoming("03a") == desk.upcoming(third[0].name) == third[0]
    with pytest.raises(ExerciseError, match="there is no exercise for lesson 77"):
        desk.upcoming("77")
    with pytest.raises(ExerciseError, match="there is no exercise 'x'; there are: 01a, 01b"):
        desk.upcoming("x")


def test_reset_keeps_a_backup_each_time(desk: Desk) -> None:
    desk.begin(FIRST)
    path = desk.file(FIRST)
    kept = []
    for text in ("one\n", "two\n"):
        path.write_text(text, encoding="utf-8")
        desk.note_pass(FIRST, 1)
        desk.next_hint(FIRST)
        kept.append(again(desk).reset(FIRST))
        assert path.read_text(encoding="utf-8") == FIRST.task
        assert not again(desk).passed(FIRST)
        assert again(desk).progress.hints == {}
        desk = again(desk)
    assert [p.read_text(encoding="utf-8") for p in kept] == ["one\n", "two\n"]
    assert [p.name for p in kept] == [f"{FIRST.name}.backup-{n}.py" for n in (1, 2)]
    path.unlink()
    assert again(desk).reset(FIRST) is None
    assert path.exists()


def test_hints_come_one_by_one_and_the_last_one_stays(desk: Desk) -> None:
    hints = FIRST.grader.hints
    given = [again(desk).next_hint(FIRST) for _ in range(len(hints) + 2)]
    last = (len(hints), hints[-1])
    assert given == [*((n, hint) for n, hint in enumerate(hints, start=1)), last, last]


def test_an_answer_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(ExerciseError, match="is not there: 'lessons next 01a' writes it"):
        desk.answer(FIRST)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"version": 2, "current": "", "passed": {}, "hints": {}}',
        '{"version": 1, "current": 3, "passed": {}, "hints": {}}',
        '{"version": 1, "current": "", "passed": ["01a"], "hints": {}}',
        '{"version": 1, "current": "", "passed": {"01a": "yes"}, "hints": {}}',
        '{"version": 1, "other": 1}',
    ],
)  # fmt: skip
def test_a_damaged_progress_file_is_named_and_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / PROGRESS
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ExerciseError, match="is not a progress file"):
        Desk(tmp_path, EXERCISES)
    assert path.read_text(encoding="utf-8") == text


def test_an_exercise_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    kept = {
        "version": 1,
        "current": "00z_gone",
        "passed": {"00z_gone": 3},
        "hints": {"00z_gone": 1},
    }
    (tmp_path / PROGRESS).write_text(json.dumps(kept), encoding="utf-8")
    desk = Desk(tmp_path, EXERCISES)
    assert desk.upcoming(None) == FIRST
    desk.begin(FIRST)
    assert again(desk).progress.passed == {"00z_gone": 3}


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        desk = Desk(folder, EXERCISES)
        with pytest.raises(ExerciseError, match="cannot be made a folder"):
            desk.begin(FIRST)
