"""Every lesson runs green as a script of its own, and writes the pictures that it names."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from support.lesson_runs import LESSONS, ROOT, lesson_run, run

from minigrad.learn import read_record

SLOW = {
    "03_gradient_checking",
    "04_activations",
    "05_losses",
    "06_gradient_descent",
    "07_regularisation",
    "08_data",
    "09_digits",
    "10_convolution",
    "11_recurrent",
    "12_attention",
    "13_going_fast",
}


def size_of_png(path: Path) -> tuple[int, int]:
    """Return width and height as the file's header states them."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


@pytest.mark.parametrize(
    "lesson",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in SLOW else [])
        for path in LESSONS
    ],
)
def test_lesson_runs_and_draws(lesson: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = lesson_run(lesson, tmp_path_factory)
    tmp_path = Path(done.folder)
    assert done.status == 0, done.stdout + done.stderr
    assert done.stdout.isascii()
    named = re.findall(r"^picture: (.+)$", done.stdout, flags=re.MULTILINE)
    assert named
    record = read_record(tmp_path / "pictures" / f"{lesson.stem}-claims.json")
    assert record.stem == lesson.stem
    assert record.claims
    assert [claim.what for claim in record.claims if not claim.as_expected] == []
    written = sorted((tmp_path / "pictures").glob("*.png"))
    assert sorted(tmp_path / name for name in named) == written
    assert sorted(record.pictures) == [path.name for path in written]
    assert len(list((tmp_path / "pictures").iterdir())) == len(written) + 1
    assert [path for path in tmp_path.iterdir() if path.name != "pictures"] == []
    for path in written:
        assert path.name.startswith(lesson.stem)
        assert min(size_of_png(path)) > 300


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["01_forward_backward", "03_gradient_checking"])
def test_a_lesson_runs_on_every_device(stem: str, backend: str, tmp_path: Path) -> None:
    """The claims have the same verdicts, which the lesson asserts itself."""
    done = run(ROOT / "lessons" / f"{stem}.py", tmp_path, "--out", "out", "--device", backend)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_lesson_without_minigrads_gpu_is_one_line(tmp_path: Path) -> None:
    done = run(ROOT / "lessons" / "09_digits.py", tmp_path, "--device", "cuda:99")
    assert done.returncode == 1
    assert done.stderr.startswith("error: device 'cuda:99' cannot be used")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_data_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/usr/share/datasets/mnist").exists():
        pytest.skip("this machine has MNIST in a folder that cannot be kept out")
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "cache"))
    done = run(ROOT / "lessons" / "09_digits.py", tmp_path, "--data", "mnist", "--offline")
    assert done.returncode == 1
    assert done.stderr.startswith("error: MNIST was not found")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--epochs", "0"), ("--epochs", "-1"), ("--data", "cats")])
def test_options_that_mean_nothing(words: tuple[str, str], tmp_path: Path) -> None:
    done = run(ROOT / "lessons" / "09_digits.py", tmp_path, *words)
    assert done.returncode == 2
    assert words[0] in done.stderr
