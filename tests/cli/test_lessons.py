"""``python -m minigrad lessons list`` and ``lessons run``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from minigrad.cli import extras, main

ROOT = Path(__file__).resolve().parents[2]


def test_list_names_every_lesson_and_its_title(real) -> None:
    done = real.run("lessons", "list")
    assert done.returncode == 0, done.stderr
    stems = [line.split()[0] for line in done.stdout.splitlines()]
    assert stems == sorted(p.stem for p in (ROOT / "lessons").glob("*.py"))
    for line in done.stdout.splitlines():
        stem, title = line.split(maxsplit=1)
        assert title.startswith(f"{int(stem[:2])}. ")


def test_titles_are_first_headings_in_order_of_number(checkout) -> None:
    checkout.add("10_tenth", "print('no heading')\n")
    assert checkout.run("lessons", "list").stdout.splitlines() == [
        "01_good   1. A lesson that goes well",
        "02_bad    2. A lesson that goes wrong",
        "10_tenth  10_tenth",
    ]


def test_a_wheels_lessons_come_before_a_folder_beside_the_package(checkout) -> None:
    checkout.add("03_inside", "# # 3. Inside\n", folder="minigrad/lessons")
    assert checkout.run("lessons", "list").stdout == "03_inside  3. Inside\n"


@pytest.mark.slow
def test_run_of_one_lesson(checkout) -> None:
    done = checkout.run("lessons", "run", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"pictures go to {checkout.cwd / 'lessons-output'}" in done.stdout
    assert (checkout.cwd / "lessons-output" / "01_good.png").read_bytes() == b"picture"
    row = next(line for line in done.stdout.splitlines() if line.startswith("| 01_good"))
    assert [cell.strip() for cell in row.split("|")[1:6]] == ["01_good", "ok", "none", "1", "1"]
    assert "02_bad" not in done.stdout


@pytest.mark.slow
def test_the_lesson_gets_its_own_process_and_this_minigrad(checkout) -> None:
    out = checkout.run("lessons", "run", "01", PYTHONUTF8="0").stdout
    assert f"minigrad is {checkout.root / 'minigrad' / '__init__.py'}" in out
    assert "UTF-8 mode 1" in out
    assert "stdin ''" in out
    assert "words []" in out


@pytest.mark.slow
def test_run_of_all_fails_when_one_fails(checkout) -> None:
    done = checkout.run("lessons", "run", "--out", "a/b")
    assert done.returncode == 1
    assert (checkout.cwd / "a" / "b" / "01_good.png").is_file()
    assert done.stdout.index("==== 01_good") < done.stdout.index("words")
    assert done.stdout.index("words") < done.stdout.index("==== 02_bad")
    assert "FAILED (exit status 3)" in done.stdout
    assert "1 failed" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_killed_lesson_has_failed(checkout) -> None:
    checkout.add("03_killed", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    done = checkout.run("lessons", "run", "3")
    assert done.returncode == 1
    assert "FAILED (signal 9)" in done.stdout


@pytest.mark.slow
def test_only_pictures_of_this_run_are_counted(checkout) -> None:
    out = checkout.cwd / "out"
    out.mkdir()
    for name in ("01_good_old.png", "01_good.txt", "02_bad.png"):
        (out / name).write_bytes(b"old")
    done = checkout.run("lessons", "run", "--out", "out")
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| 0")]
    assert [[row[i].strip() for i in (1, 2, 5)] for row in rows] == [
        ["01_good", "ok", "1"],
        ["02_bad", "FAILED (exit status 3)", "0"],
    ]


CLAIMS = """# # 3. A lesson with claims
from minigrad.learn import begin

lesson = begin("03_claims", "Claims.")
lesson.claim("D9", "a half", "0.5", 0.5)
lesson.claim("D9", "a third", "0.5", 1 / 3, expect="fails")
lesson.formula("D9", "one over nothing", lambda: 1 / 0, 1.0, expect="cannot be computed")
print("on", lesson.device)
assert lesson.folder.exists()
lesson.finish()
"""


@pytest.mark.slow
def test_claims_are_counted_by_verdict(checkout) -> None:
    checkout.add("03_claims", CLAIMS)
    done = checkout.run("lessons", "run", "3", "--device", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on cpu\n" in done.stdout
    table = done.stdout[done.stdout.index("| 03_claims") :].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:6]] for line in table[:3]]
    assert cells == [
        ["03_claims", "ok", "1 hold", "1", "0"],
        ["", "", "1 fail", "", ""],
        ["", "", "1 neither", "", ""],
    ]


@pytest.mark.slow
def test_a_claim_that_nobody_expected_so_is_a_failure(checkout) -> None:
    checkout.add("03_claims", CLAIMS.replace('0.5", 0.5)', '0.6", 0.5)'))
    done = checkout.run("lessons", "run", "3")
    assert done.returncode == 1
    assert "the lesson states 'holds', and the check says 'fails'" in done.stderr
    assert "1 NOT AS" in done.stdout


@pytest.mark.slow
def test_an_old_record_is_not_counted(checkout) -> None:
    checkout.add("03_claims", CLAIMS)
    assert checkout.run("lessons", "run", "3").returncode == 0
    checkout.add("03_claims", "raise SystemExit(3)")
    done = checkout.run("lessons", "run", "3")
    assert done.returncode == 1
    row = next(line for line in done.stdout.splitlines() if line.startswith("| 03_claims"))
    assert row.split("|")[3].strip() == "none"


@pytest.mark.slow
def test_a_device_is_for_all_lessons(checkout) -> None:
    checkout.add("02_bad", "import sys\nprint('words', sys.argv[3:])\n")
    out = checkout.run("lessons", "run", "--device", "cuda:7").stdout
    assert out.count("words ['--device', 'cuda:7']\n") == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "got"),
    [
        (["1", "--data", "mnist", "--epochs", "3"], ["--data", "mnist", "--epochs", "3"]),
        (["01_good", "--off", "-x", "-0.5"], ["--off", "-x", "-0.5"]),
        (["--out", "o", "1", "--data", "mnist"], ["--data", "mnist"]),
        (["1", "--data", "mnist", "--out=o"], ["--data", "mnist"]),
        (["1", "--", "--help", "--out", "p"], ["--help", "--out", "p"]),
        (["1", "1"], []),
    ],
)
def test_other_options_go_to_the_one_lesson(checkout, words: list[str], got: list[str]) -> None:
    done = checkout.run("lessons", "run", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"words {got}\n" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--data", "mnist"], ["1", "2", "--data", "x"], ["--o", "x"]])
def test_options_are_refused_with_several_lessons(checkout, words: list[str]) -> None:
    done = checkout.run("lessons", "run", *words)
    assert done.returncode == 2
    assert "exactly one lesson" in done.stderr
    assert "python -m minigrad lessons run 2 --" in done.stderr
    assert "====" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["7", "good", "1.5", "01_goo"])
def test_unknown_lesson(checkout, name: str) -> None:
    done = checkout.run("lessons", "run", "1", name)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"error: there is no lesson '{name}'; there are: 01_good, 02_bad\n"


@pytest.mark.slow
@pytest.mark.parametrize("words", [["list"], ["run"], ["run", "1"]])
def test_no_lessons_at_all(empty, words: list[str]) -> None:
    done = empty.run("lessons", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: no lessons were found")
    assert str(empty.root / "lessons") in line


def test_out_that_cannot_be_a_folder(checkout) -> None:
    (checkout.cwd / "file").write_text("", encoding="utf-8")
    done = checkout.run("lessons", "run", "1", "--out", "file")
    assert done.returncode == 2
    assert f"--out {checkout.cwd / 'file'} cannot be made a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_extra_is_one_clear_line(monkeypatch, capsys, tmp_path) -> None:
    lacking = ("matplotlib", "tqdm")
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in lacking else name)
    monkeypatch.setattr(extras, "version", lambda name: "0.1.0")
    out = tmp_path / "out"
    assert main(["lessons", "run", "1", "--out", str(out)]) == 1
    assert capsys.readouterr() == (
        "",
        "error: the lessons need matplotlib, tqdm; install with: "
        'python -m pip install "minigrad-engine[lessons]"\n',
    )
    assert not out.exists()


@pytest.mark.parametrize("words", [[], ["lessons"], ["dance"], ["doctor", "--now"], ["--data"]])
def test_words_that_mean_nothing(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: python -m minigrad" in capsys.readouterr().err


def test_help_says_how_options_reach_a_lesson(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["lessons", "run", "--help"])
    assert caught.value.code == 0
    assert "run 9 --data mnist" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_reader_that_has_read_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "minigrad", "lessons", "list"]
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        words, stdout=writer, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.slow
def test_run_from_another_folder_leaves_the_checkout_alone(real) -> None:
    before = set(os.listdir(ROOT)) | set(os.listdir(ROOT / "lessons"))
    done = real.run("lessons", "run", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (real.cwd / "lessons-output" / "01_forward_backward.png").is_file()
    assert set(os.listdir(ROOT)) | set(os.listdir(ROOT / "lessons")) <= before | {"__pycache__"}
