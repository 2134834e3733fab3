"""The frame of a lesson: options, device, pictures, claims that are asserted and kept."""

from __future__ import annotations

import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.learn import (
    FAILS,
    HOLDS_ROUNDED,
    NOT_COMPUTABLE,
    Lesson,
    begin,
    read_record,
)


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return begin("05_losses", "Losses.", words=["--out", str(tmp_path / "out")])


def picture():
    """Return a figure of one line."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4, 3))
    axes.plot([1, 2])
    return figure


def test_options_of_its_own(tmp_path: Path) -> None:
    epochs = {"--epochs": {"type": int, "default": 10}}
    assert begin("09_digits", "Digits.", epochs, words=[]).options.epochs == 10
    chosen = begin("09_digits", "Digits.", epochs, words=["--epochs", "3", "--out", "x"])
    assert (chosen.options.epochs, chosen.folder) == (3, Path("x"))


def test_the_words_of_the_process_are_read(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["05_losses.py", "--out", str(tmp_path)])
    assert begin("05_losses", "Losses.").folder == tmp_path


def test_words_that_mean_nothing(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        begin("05_losses", "Losses.", words=["--device", "gpu"])
    assert caught.value.code == 2
    assert "unknown device 'gpu'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        begin("05_losses", "Losses.", words=["--epochs", "3"])
    assert caught.value.code == 2


def test_a_gpu_that_is_not_there_is_one_line() -> None:
    with pytest.raises(SystemExit, match=r"^error: device 'cuda:99' cannot be used"):
        begin("05_losses", "Losses.", words=["--device", "cuda:99"])
    assert str(mg.get_default_device()) == "cpu"


def test_tensors_are_made_on_the_device(backend, tmp_path: Path) -> None:
    try:
        lesson = begin("05_losses", "Losses.", words=["--device", backend])
        assert lesson.device.type == mg.zeros(2).device.type == backend
    finally:
        mg.set_default_device("cpu")


def test_a_picture_is_written_at_120_dots_an_inch_and_closed(lesson: Lesson, capsys) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    lesson.save(picture(), "05_losses_line.png", "A line that rises.")
    assert pyplot.get_fignums() == before
    data = (lesson.folder / "05_losses_line.png").read_bytes()
    assert struct.unpack(">II", data[16:24]) == (480, 360)
    assert b"A line that rises." in data
    assert capsys.readouterr().out == f"picture: {lesson.folder / '05_losses_line.png'}\n"


@pytest.mark.parametrize(
    ("name", "caption", "said"),
    [
        ("04_line.png", "A line.", "a picture is called 05_losses_WORD.png, not '04_line.png'"),
        ("05_losses_line.jpg", "A line.", "a picture is called"),
        ("05_losses_line.png", " ", "has no caption"),
    ],
)
def test_a_picture_has_its_lessons_name_and_a_caption(lesson, name, caption, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        lesson.save(picture(), name, caption)
    assert not lesson.folder.exists()


def test_a_notebook_shows_the_picture_with_its_caption(lesson, monkeypatch) -> None:
    shown = []
    display = types.ModuleType("IPython.display")
    display.Image = lambda data, format, alt: ("image", data[:4], format, alt)
    display.Markdown = lambda text: ("text", text)
    display.display = lambda *things: shown.extend(things)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    lesson.save(picture(), "05_losses_line.png", "A line that rises.")
    assert shown == [
        ("image", b"\x89PNG", "png", "A line that rises."),
        ("text", "*A line that rises.*"),
    ]
    monkeypatch.setattr(sys, "argv", ["kernel", "--out", "words of the notebook's"])
    assert begin("05_losses", "Losses.").folder == Path("lessons-output")


def test_claims_are_judged_and_kept(lesson: Lesson, capsys) -> None:
    lesson.claim("D0 4.3", "a1", printed="0.55", computed=0.549834)
    lesson.claim("D0 4.3", "J", "0.1300625", 0.82928, "no sum gives it", expect=FAILS)
    lesson.claim(
        "D9", "twice a third", "0.66", 2 / 3, rounded=2 * round(1 / 3, 2), expect=HOLDS_ROUNDED
    )
    lesson.claim(
        "D0 4.3", "W1 x", "0.2", lambda: (np.eye(2) @ np.ones(3))[0], "shapes",
        expect=NOT_COMPUTABLE,
    )  # fmt: skip
    lesson.formula("D2 steps", "slope of tanh", lambda: 0.24, 0.42, "1 - tanh^2", expect=FAILS)
    lesson.statement("D2 math 4", "ReLU explodes", False, "a factor of 0.7", expect=FAILS)
    lesson.statement("D2 math 4", "sigmoid vanishes", True, "a factor of 0.2", check="a look")
    assert not lesson.folder.exists()  # all or nothing: it is written at the end
    lesson.finish()
    printed = capsys.readouterr().out
    assert printed.endswith("claims: 2 holds, 1 holds as rounded, 3 fails, 1 cannot be computed\n")
    kept = read_record(lesson.folder / "05_losses-claims.json")
    assert (kept.stem, kept.title, kept.pictures) == ("05_losses", "Losses.", {})
    assert [claim.verdict for claim in kept.claims] == [
        "holds", "fails", "holds as rounded", "cannot be computed", "fails", "fails", "holds",
    ]  # fmt: skip
    assert all(claim.as_expected for claim in kept.claims)
    number, _, rounded, none, formula, _, last = kept.claims
    assert (number.printed, number.computed, number.found) == ("0.55", 0.549834, "")
    assert rounded.rounded == 0.66
    assert none.computed is None
    assert none.note.startswith("shapes; ValueError: matmul")
    assert (formula.printed, formula.found, formula.note) == ("", "off by 43 %", "1 - tanh^2")
    assert last.check == "a look"


def test_a_verdict_that_is_not_the_expected_one_stops_the_lesson(lesson: Lesson) -> None:
    lesson.claim("D0 4.3", "a1", printed="0.55", computed=0.549834)
    with pytest.raises(AssertionError, match="'J': the lesson states 'holds', and the check says"):
        lesson.claim("D0 4.3", "J", printed="0.1300625", computed=0.82928)
    kept = read_record(lesson.folder / "05_losses-claims.json")  # for the run's summary
    assert [claim.as_expected for claim in kept.claims] == [True, False]
    with pytest.raises(AssertionError, match="D2 math"):
        lesson.formula("D2 math", "MSE", lambda: 1.0, 1.0, expect=FAILS)
    with pytest.raises(AssertionError, match="D2 math"):
        lesson.statement("D2 math", "learns", False, "it does not")


def test_a_mistake_of_the_lesson_is_not_taken_for_the_documents(lesson: Lesson) -> None:
    with pytest.raises(KeyError):
        lesson.claim("D9", "a", "1", lambda: {}["a"], expect=NOT_COMPUTABLE)
    with pytest.raises(ValueError, match="could not convert"):
        lesson.claim("D9", "a", "1", "one", expect=NOT_COMPUTABLE)


@pytest.mark.parametrize("text", ["", "[]", '{"stem": "a"}', '{"claims": [{"where": "D9"}]}'])
def test_what_is_no_record_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "05_losses-claims.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"05_losses-claims\.json is no record of a lesson"):
        read_record(path)


def test_a_missing_matplotlib_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "minigrad-engine\[lessons\]"'):
        begin("05_losses", "Losses.", words=[])
