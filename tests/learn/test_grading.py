"""Grading: right and wrong answers, programs that hang or crash, and graders that are too lax."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.learn.exercises.checks import Answer, Gradients, Property, Values
from minigrad.learn.exercises.compare import WrongAnswerError, expect, expect_near
from minigrad.learn.exercises.draws import broadcasting, floats, shapes
from minigrad.learn.exercises.exercise import (
    Exercise,
    ExerciseError,
    answer_of,
    choose_exercise,
    find_exercises,
)
from minigrad.learn.exercises.grading import Grade, grade
from minigrad.learn.exercises.process import RUNNING, grade_file
from minigrad.learn.exercises.zoo import REMEMBERED, Kills, kill_table, kills

EXERCISES = {exercise.short: exercise for exercise in find_exercises()}

TASK = '''"""Double it.

Return the double.
"""


def double(x):
    """Return 2 x."""
    raise NotImplementedError
'''
SOLUTION = '''"""Add it to itself."""


def double(x):
    """Return 2 x."""
    return x + x
'''
GRADE = """
from minigrad.learn.exercises import Gradients, Values, floats

HINTS = ("vague", "plain")


def cases(rng):
    yield (floats(rng, (2, 2)),)


CHECKS = (Values("double", lambda x: 2 * x, cases),)
WRONG = {"missing term": (("x + x", "x"),)}
"""


def make(folder: Path, name: str = "01z_double", **files: str) -> Exercise:
    """Return an exercise of our own."""
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    texts = {"task": TASK, "solution": SOLUTION, "grade": GRADE, **files}
    for file, text in texts.items():
        (path / f"{file}.py").write_text(text, encoding="utf-8")
    return Exercise(path)


@pytest.fixture
def double(tmp_path: Path) -> Exercise:
    return make(tmp_path)


# ---- a learner's file in a process of its own ---------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "failed", "says"),
    [
        ("def double(x):\n    while True: pass\n", RUNNING, "it was stopped after 2 seconds"),
        ("while True: print('x' * 1000)\n", RUNNING, "it was stopped after 2 seconds"),
        ("import os\nos._exit(0)\n", RUNNING, "ended the process itself, with status 0"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", RUNNING, "signal 9"),
        ("exit(0)\n", "the file runs", "the program ended itself"),
        ("def double(x:\n", "the file runs", "line 1\n    def double(x:\nSyntaxError: "),
        ("import numpy\n1 / 0\n", "the file runs", "line 2\n    1 / 0\nZeroDivisionError: "),
        ("raise KeyboardInterrupt\n", "the file runs", "KeyboardInterrupt"),
        ("input('?')\n", "the file runs", "EOFError"),
        ("", "double: its", "there is no 'double' in the file"),
        ("double = 2\n", "double: its", "double must be a function, not 2"),
        ("def double(x):\n    import sys\n    sys.exit()\n", "double: its", "ended itself"),
        (
            "def double(x):\n    return half(x)\n\ndef half(x):\n    return x.half\n",
            "double: its",
            "line 2\n    return half(x)\nline 5\n    return x.half\nAttributeError: ",
        ),
        ("def double(x): return double(x)\n", "double: its", "RecursionError"),
        ("def double():\n    return 1\n", "double: its", "takes 0 positional arguments"),
        ("def double(x):\n    x *= 2\n    return x\n", "double: its", "changed its argument x"),
        (SOLUTION, "", ""),
    ],
    ids=[
        "endless", "prints without end", "_exit", "killed", "exit", "syntax", "raises", "interrupt",
        "input", "empty", "no function", "exit inside", "deep error", "recursion", "arguments",
        "in place", "right",
    ],
)  # fmt: skip
def test_programs_of_every_kind(
    program: str, failed: str, says: str, double: Exercise, tmp_path: Path
) -> None:
    if "SIGKILL" in program and sys.platform == "win32":
        pytest.skip("Windows has no such signal")
    file = tmp_path / "answer.py"
    file.write_text(program, encoding="utf-8")
    limit = 2.0 if "while" in program else 30.0
    report = grade_file(double, file, seed=7, limit=limit)
    assert report.grade.failed.startswith(failed), report
    assert says in report.grade.message
    assert report.grade.passed == (failed == "")
    assert len(report.printed) < 5000
    assert report.seed == 7


def test_what_a_program_prints_is_kept(double: Exercise, tmp_path: Path) -> None:
    file = tmp_path / "answer.py"
    file.write_text(f"print('h\u00e9llo')\n{SOLUTION}", encoding="utf-8")
    report = grade_file(double, file, seed=1)
    assert report.printed == "h\u00e9llo\n"
    assert report.grade.passed


def test_a_file_beside_it_can_be_imported_and_hides_nothing(
    double: Exercise, tmp_path: Path
) -> None:
    (tmp_path / "helper.py").write_text("def twice(x): return 2 * x\n", encoding="utf-8")
    (tmp_path / "json.py").write_text("raise SystemExit('hidden')\n", encoding="utf-8")
    file = tmp_path / "answer.py"
    file.write_text("import json\nfrom helper import twice as double\n", encoding="utf-8")
    assert grade_file(double, file, seed=1).grade.passed


def test_a_grade_of_ones_own_is_not_believed(double: Exercise, tmp_path: Path) -> None:
    file = tmp_path / "answer.py"
    file.write_text(
        "import glob, json, os, tempfile\n"
        "for folder in glob.glob(tempfile.gettempdir() + '/tmp*'):\n"
        "    if os.path.isdir(folder) and not os.listdir(folder):\n"
        "        grade = {'word': '', 'done': ['x'], 'failed': '', 'message': ''}\n"
        "        json.dump(grade, open(folder + '/grade.json', 'w'))\n"
        "os._exit(0)\n",
        encoding="utf-8",
    )
    environment = tmp_path / "temporary"
    environment.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(environment))
        patch.setattr("tempfile.tempdir", str(environment))
        report = grade_file(double, file, seed=1)
    assert not report.grade.passed
    assert report.grade.failed == RUNNING


def test_the_seed_draws_the_inputs() -> None:
    layer = EXERCISES["01a"]
    answer = answer_of(layer.task, "task.py")
    answer.names["layer_backward"] = lambda g, W, a, b: (np.outer(g, a), W.T @ g, 2.0 * g)
    first, again, other = (grade(answer, layer.grader.checks, seed) for seed in (5, 5, 6))
    assert first == again
    assert first.message != other.message
    assert "yours is 2 times the right one throughout" in first.message


# ---- the zoo ------------------------------------------------------------------------------------


def test_a_lax_grader_is_found_out(tmp_path: Path) -> None:
    """The shape alone is looked at; and the sample is always the same."""
    lax = make(
        tmp_path, "02z_lax",
        grade=GRADE.replace(
            'Values("double", lambda x: 2 * x, cases)',
            'Values("double", lambda x: 2 * x, cases, atol=1e9)',
        ),
    )  # fmt: skip
    row = kills(lax, seed=1)
    assert row.solution.passed
    assert not row.sound
    survived = {kind for kind, cell in row.cells.items() if cell.survivors}
    expected = {"zeros", "ones", "doubled", "sign", "a little off", "hard-coded", "missing term"}
    assert survived == expected | {"wrong axis"}
    assert row.cells["unedited"].killed == 1
    assert "NOT double" in kill_table([row])

    always = "def fixed():\n    import numpy\n    return numpy.random.default_rng(3)\n\n\ndef cases"
    text = GRADE.replace("floats(rng,", "floats(fixed(),").replace("def cases", always)
    fixed = make(tmp_path, "03z_fixed", grade=text)
    row = kills(fixed, seed=1)
    assert {kind for kind, cell in row.cells.items() if cell.survivors} == {"hard-coded"}


def test_a_sound_one_is_sound(double: Exercise) -> None:
    row = kills(double, seed=1)
    assert row.sound
    assert isinstance(row, Kills)
    table = kill_table([row]).splitlines()
    assert table[0].startswith("| exercise | solution | unedited | returns nothing | zeros |")
    assert table[2].startswith("| 01z_double | passes | 1 | 1 | 1 |")
    assert "no unbroadcast" not in table[0]
    assert len({line.count("|") for line in table}) == 1


def test_a_grader_that_raises_is_found_out(tmp_path: Path) -> None:
    look = """
from minigrad.learn.exercises import Property


def look(answer, rng):
    answer.call("double", rng.normal(size=3)).sum()


CHECKS = (Property("x", look, ("double",)),"""
    text = GRADE.replace("\nCHECKS = (", look)
    row = kills(make(tmp_path, grade=text), seed=1)
    assert row.sound
    assert "AttributeError" in row.cells["returns nothing"].flaws[0]


def test_a_change_that_is_not_in_the_solution_is_refused(tmp_path: Path) -> None:
    wrong = make(tmp_path, grade=GRADE.replace('"x + x"', '"y + y"'))
    with pytest.raises(ValueError, match=r"01z_double: WRONG\['missing term'\] number 1 must"):
        kills(wrong, seed=1)


def test_the_remembered_seed_is_refused(double: Exercise) -> None:
    with pytest.raises(ValueError, match="take another"):
        kills(double, seed=REMEMBERED)


def test_an_excuse_is_in_the_cell_and_not_graded(tmp_path: Path) -> None:
    excused = make(tmp_path, grade=GRADE + 'NOT = {"sign": "because it is so"}\n')
    row = kills(excused, seed=1)
    assert row.cells["sign"].of == 0
    table = kill_table([row]).splitlines()
    assert table[-1] == "- 01z_double, sign: because it is so"
    column = table[0].split("|").index(" sign ")
    assert table[2].split("|")[column] == " - "


WORDS = {
    "m1": ["mg.conv2d has the right numbers", "mg.gradcheck says\ngradcheck: passed"],
    "m2": ["told by mg.explain", "sum so far (2 of 2)", "finite difference"],
    "m3": ["mg.gradcheck says\ngradcheck: failed", "has the gradient of input 0"],
    "m4": ["of this block mg.gradcheck says\ngradcheck: passed"],
    "m5": ["mg.gradcheck says\ngradcheck: failed"],
    "m6": ["a wrong rule is accepted", "a rule ignores the gradient g that comes in"],
    "m7": ["10 times of 10: zeros", "n = 0: vacuous", "n = 3: failed"],
    "05b": ["mg.check.lint says", "double-softmax", "missing-zero-grad"],
}


@pytest.mark.parametrize("short", WORDS)
def test_the_projects_own_tools_diagnose_it(short: str) -> None:
    """What a learner sees of the bug as it stands there."""
    exercise = EXERCISES[short]
    found = grade(answer_of(exercise.task, "task.py"), exercise.grader.checks, 1)
    assert not found.passed
    assert found.flaw == ""
    for words in WORDS[short]:
        assert words in found.message


# ---- comparing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "right", "says"),
    [
        (None, 1.0, "x is None: is there a return?"),
        (np.zeros(3), np.ones(3), "all of yours are 0"),
        (np.array([2.0, 4.0]), np.array([1.0, 2.0]), "yours is 2 times the right one throughout"),
        (np.array([-1.0, 2.0]), np.array([1.0, -2.0]), "the wrong sign throughout"),
        (np.ones((4, 3)), np.ones(3), "broadcast, and not summed back"),
        (np.ones(4), np.ones(3), "has the shape [4], and must have [3]"),
        (np.array([1.0, np.nan]), np.ones(2), "x[1]: yours is nan"),
        (np.array([[1.0, 2.0], [3.0, 4.0]]).T, np.array([[1.0, 2.0], [3.0, 4.0]]), "exchanged"),
        ("1", 1.0, "x must be numbers, not of type str"),
        ([[1.0], [1.0, 2.0]], 1.0, "x must be numbers"),
        ((1.0,), (1.0, 2.0), "x must be 2 things, not a tuple of 1"),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}, "must have the keys a, b, and has a"),
        (2, 1, "they must be equal"),
        (1.0 + 2e-6, 1.0, "allowed is 1e-07 + 1e-06 * |right|"),
    ],
)
def test_what_a_wrong_answer_is_told(found: object, right: object, says: str) -> None:
    with pytest.raises(WrongAnswerError) as caught:
        expect_near(found, right, "x")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (1, 1.0), (np.float64(0.3), 0.1 + 0.2), ([1.0, 2.0], (1.0, 2.0)), (np.ones((0, 3)),) * 2,
        (np.array([np.inf, 1.0]), np.array([np.inf, 1.0])), ({"a": None}, {"a": None}),
        (True, True), (np.float32(0.1), np.float32(0.1)),
    ],
)  # fmt: skip
def test_right_answers_are_right(found: object, right: object) -> None:
    expect_near(found, right, "x")


def test_the_input_is_shown() -> None:
    check = Values("f", lambda x: x, lambda rng: [(np.array([[1.0, 2.0]]),)])
    with pytest.raises(WrongAnswerError) as caught:
        check.run(Answer({"f": lambda x: 0 * x}), np.random.default_rng(0))
    assert str(caught.value).endswith("at\n  x = [[1., 2.]] (shape [1, 2])")


def test_gradients_are_by_the_arguments_that_are_floating() -> None:
    check = Gradients("f_backward", lambda x, k: x**k, lambda rng: [(floats(rng, (2, 3)), 3)])
    rng = np.random.default_rng(0)
    check.run(Answer({"f_backward": lambda g, x, k: g * k * x ** (k - 1)}), rng)
    with pytest.raises(WrongAnswerError, match="the gradient by x"):
        check.run(Answer({"f_backward": lambda g, x, k: k * x ** (k - 1)}), rng)


def test_a_property_may_say_anything() -> None:
    def look(answer, rng):
        expect(answer.call("f") == 1, "f is not 1")

    assert grade(Answer({"f": lambda: 1}), [Property("f is 1", look, ("f",))], 1).passed
    found = grade(Answer({"f": lambda: 2}), [Property("f is 1", look, ("f",))], 1)
    assert found == Grade((), "f is 1", "f is not 1")


@pytest.mark.parametrize("x", [np.array(["a", "b"]), np.array([1, 2]), np.array([1.0, np.nan])])
def test_arguments_of_any_kind_are_watched(x: np.ndarray) -> None:
    def turn(x):
        x[:] = x[::-1].copy()

    Answer({"f": lambda x: None}).call("f", x)
    with pytest.raises(WrongAnswerError, match="changed its argument x in place"):
        Answer({"f": turn}).call("f", x)


def test_no_check_is_no_pass() -> None:
    assert not grade(Answer({}), [], 1).passed


def test_draws_are_of_all_shapes() -> None:
    rng = np.random.default_rng(0)
    seen = list(shapes(rng))
    assert {len(shape) for shape in seen} == {0, 1, 2, 3}
    assert (0, 3) in seen
    for several in broadcasting(rng, 2):
        np.broadcast_shapes(*several)
    drawn = floats(rng, (100,))
    assert drawn.min() < 0 < drawn.max()
    assert np.abs(drawn).min() >= 0.2


# ---- finding ------------------------------------------------------------------------------------


def test_exercises_are_found_in_order_the_museum_last(tmp_path: Path) -> None:
    for name in ("museum/m1_a", "10a_x", "02b_x", "02a_y"):
        make(tmp_path / "exercises", name)
    (tmp_path / "exercises" / "notes").mkdir()
    found = find_exercises([tmp_path / "nowhere", tmp_path])
    assert [e.name for e in found] == ["02a_y", "02b_x", "10a_x", "m1_a"]
    assert [e.lesson for e in found] == ["02", "02", "10", ""]
    assert choose_exercise(found, "02b").name == choose_exercise(found, "02b_x").name == "02b_x"
    with pytest.raises(ExerciseError, match="no exercise '02'; there are: 02a, 02b, 10a, m1"):
        choose_exercise(found, "02")


def test_no_exercises_at_all(tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match="no exercises were found"):
        find_exercises([tmp_path])
