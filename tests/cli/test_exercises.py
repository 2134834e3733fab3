"""``python -m minigrad lessons next``, ``check``, ``hint``, ``solution``, ``reset``, ``watch``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minigrad.cli import main
from minigrad.learn.exercises.exercise import find_exercises

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = find_exercises([ROOT / "lessons"])[:2]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command in an empty folder: status, output, errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["lessons", *words])
        out, err = capsys.readouterr()
        assert out.isascii()
        assert err.isascii()
        return status, out, err

    return run


def test_the_learners_path(say, tmp_path: Path) -> None:
    """Next, wrong, hint, solution refused, right, solution, next."""
    status, out, _ = say("next")
    assert status == 0
    assert f"exercise {FIRST.name} (1 of " in out
    assert FIRST.title in out
    path = tmp_path / "minigrad-exercises" / f"{FIRST.name}.py"
    assert str(path.relative_to(tmp_path)) in out
    assert path.read_text(encoding="utf-8") == FIRST.task

    status, out, _ = say("check")
    assert status == 1
    assert "WRONG" in out
    assert "this part is still to be written" in out

    path.write_text(FIRST.solution.replace("1.0 * g", "0 * g"), encoding="utf-8")
    status, out, _ = say("check")
    assert status == 1
    assert "the gradient by b" in out
    assert "all of yours are 0" in out
    (seed,) = re.findall(r"--seed (\d+)", out)
    assert say("check", "--seed", seed)[1] == out
    assert say("check", "01a", "--seed", seed)[1].splitlines()[:-1] == out.splitlines()[:-1]

    status, out, _ = say("hint")
    assert (status, out.splitlines()[0]) == (0, f"{FIRST.name}, hint 1 of 3")
    assert say("hint")[1].splitlines()[0] == f"{FIRST.name}, hint 2 of 3"
    assert say("hint")[1].splitlines()[0] == f"{FIRST.name}, hint 3 of 3, the last"

    status, out, err = say("solution")
    assert (status, out) == (1, "")
    assert "is shown when your own answer has passed" in err

    path.write_text(FIRST.solution, encoding="utf-8")
    status, out, _ = say("check")
    assert status == 0
    assert "passed: 1 of " in out

    status, out, _ = say("solution")
    assert status == 0
    assert "an outer product" in out
    assert "np.outer(g, a), W.T @ g" in out

    status, out, _ = say("next")
    assert f"exercise {SECOND.name} (2 of " in out
    status, out, _ = say("exercises")
    assert status == 0
    assert out.startswith(f"passed  {FIRST.name} ")
    assert f"\ncurrent {SECOND.name} " in out
    assert out.splitlines()[-1].startswith("1 of ")


def test_next_never_overwrites_and_reset_keeps(say, tmp_path: Path) -> None:
    say("next", "--folder", "mine")
    path = tmp_path / "mine" / f"{FIRST.name}.py"
    path.write_text("mine\n", encoding="utf-8")
    status, out, _ = say("next", "--folder", "mine")
    assert status == 0
    assert "(as you left it)" in out
    assert "check --folder mine" in out
    assert path.read_text(encoding="utf-8") == "mine\n"
    status, out, _ = say("reset", "--folder", "mine")
    assert status == 0
    assert path.read_text(encoding="utf-8") == FIRST.task
    kept = path.with_name(f"{FIRST.name}.backup-1.py")
    assert kept.name in out
    assert kept.read_text(encoding="utf-8") == "mine\n"


def test_next_of_a_lesson_starts_anywhere(say) -> None:
    assert "exercise 03a_" in say("next", "3")[1]
    assert "exercise 02b_" in say("next", "02b")[1]
    assert "exercise 02b_" in say("next")[1]
    assert "exercise m4_" in say("next", "m4")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check"], "no exercise has been begun"),
        (["hint"], "no exercise has been begun"),
        (["watch"], "no exercise has been begun"),
        (["check", "99z"], "there is no exercise '99z'; there are: 01a"),
        (["check", "01b"], "is not there: 'lessons next 01b' writes it"),
        (["next", "77"], "there is no exercise for lesson 77"),
        (["next", "--folder", "file"], "cannot be made a folder"),
        (["zoo", "99z"], "there is no exercise '99z'"),
    ],
)
def test_what_cannot_be_done_is_one_line(say, tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    status, out, err = say(*words)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "words", [["check", "--seed", "x"], ["zoo", "--seed", "0"], ["hint", "a", "b"]]
)
def test_words_that_mean_nothing(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lessons", *words])
    assert caught.value.code == 2
    assert "usage: python -m minigrad" in capsys.readouterr().err


def test_the_kill_table(say) -> None:
    status, out, _ = say("zoo", "01a", "04a")
    assert status == 0
    head, _, *rows, total = out.splitlines()
    assert [row.split("|")[1].strip() for row in rows] == [FIRST.name, "04a_prelu"]
    for kind in (
        "zeros",
        "ones",
        "doubled",
        "sign",
        "no chain rule",
        "no unbroadcast",
        "overwrite",
    ):
        assert f" {kind} " in head
    assert "2 of 2" in total
    assert "NOT" not in out


def test_a_run_of_one_lesson_names_its_exercises(capsys, monkeypatch, tmp_path: Path) -> None:
    from minigrad.cli import arguments
    from minigrad.cli.runner import Outcome

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arguments, "missing", lambda extra: [])
    monkeypatch.setattr(arguments, "print_summary", lambda outcomes: None)
    monkeypatch.setattr(arguments, "run_lesson", lambda lesson, *_: Outcome(lesson, 0, (), 1.0))
    line = "2 exercises: python -m minigrad lessons next 1\n"
    assert main(["lessons", "run", "1"]) == 0
    assert capsys.readouterr().out.endswith(line)
    assert main(["lessons", "run", "1", "2"]) == 0
    assert "exercises" not in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="head is not there")
def test_a_reader_that_has_enough_is_no_error(say, tmp_path: Path) -> None:
    command = f"{sys.executable} -m minigrad lessons exercises | true"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.stderr == ""


def wait_for(log: Path, words: str, process: subprocess.Popen) -> str:
    """Wait until a process has written these words; return all that it wrote."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        text = log.read_text(encoding="utf-8")
        if words in text:
            return text
        assert process.poll() is None, text
        time.sleep(0.05)
    raise AssertionError(f"{words!r} is not in: {log.read_text(encoding='utf-8')}")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal to send")
def test_watch_grades_each_change_until_ctrl_c(say, tmp_path: Path) -> None:
    say("next")
    path = tmp_path / "minigrad-exercises" / f"{FIRST.name}.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    log = tmp_path / "log"
    with (
        open(log, "w", encoding="utf-8") as file,
        subprocess.Popen(
            # Python leaves Ctrl-C ignored where the shell of a test in the background ignores it
            [
                sys.executable, "-c",
                "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
                "from minigrad.cli import main; raise SystemExit(main(['lessons', 'watch']))",
            ],
            stdout=file, stderr=subprocess.STDOUT, cwd=tmp_path, env=environment,
        ) as process,
    ):  # fmt: skip
        try:
            wait_for(log, "still to be written", process)
            path.write_text("def layer_backward(g, W, a, b):\n    return 1\n", encoding="utf-8")
            wait_for(log, "must be 3 things", process)
            path.write_text(FIRST.solution, encoding="utf-8")
            wait_for(log, "passed: 1 of", process)
            say("next")
            wait_for(log, SECOND.name, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        finally:
            process.kill()
    text = log.read_text(encoding="utf-8")
    assert text.startswith("watching; Ctrl-C ends it\n")
    assert text.endswith("\ninterrupted\n")
    assert "Traceback" not in text
