"""``python -m minigrad gradcheck MODULE:FUNCTION``: its inputs, its report, its exit status."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from minigrad.cli import main

NUMBER = itertools.count()  # every test's module has a name of its own, as modules are kept

CODE = """
import numpy as np

import minigrad as mg
from minigrad import nn


def right(x, y):
    return mg.tanh(x) @ y


def wrong(x):
    return x * x.detach()


def kink(x=mg.tensor([0.0, 1.0], dtype=mg.float64)):
    return mg.relu(x)


def loss(scores=mg.tensor([[1.0, 2.0, 0.5]], dtype=mg.float64), labels=mg.tensor([1]), *, p=2):
    return mg.cross_entropy(scores, labels)


def coarse(x=mg.ones(2)):
    return x


def broken(x):
    return x / undefined_name


def second(x):
    return mg.tanh(x) + x.detach() * 0.0 * x


net = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
five = 5
_hidden = right


class Net(nn.Module):
    own = staticmethod(right)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module in the current folder."""
    name = f"learner_{next(NUMBER)}"
    (tmp_path / f"{name}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


@pytest.fixture
def check(module: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command on a name of the module."""

    def run(name: str, *words: str) -> tuple[int, str, str]:
        try:
            status = main(["gradcheck", f"{module}:{name}", *words])
        except SystemExit as end:  # of argparse
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_inputs_of_given_shapes(check) -> None:
    status, out, err = check("right", "--shape", "3,4", "--shape", "4,2")
    assert (status, err) == (0, "")
    assert out.startswith("gradcheck: passed (140 derivatives, central difference, eps 1e-06")
    assert "  input 0    [3, 4]" in out
    assert "  input 1    [4, 2]" in out
    assert out.isascii()


def test_exit_status_of_a_wrong_gradient(check) -> None:
    status, out, _ = check("wrong", "--shape", "3")
    assert status == 1
    assert out.startswith("gradcheck: failed")
    assert "2 times too small" in out


def test_own_defaults_are_the_inputs(check) -> None:
    assert check("loss")[0] == 0
    status, out, _ = check("kink")
    assert status == 1
    assert out.startswith("gradcheck: kink")


def test_instance_of_a_module(check) -> None:
    status, out, err = check("net", "--shape", "2,4")
    assert (status, err) == (0, "")
    assert "0.weight" in out
    assert "every call drew the same ones" in out


def test_seed_reproduces(check) -> None:
    one, two, other = (check("net", "--shape", "2,4", "--seed", s)[1] for s in "778")
    assert "seed 7" in one
    assert one.splitlines()[0] == two.splitlines()[0]
    assert one == two
    assert one.splitlines()[2:] != other.splitlines()[2:]


def test_second_derivatives(check) -> None:
    assert check("second", "--shape", "3")[0] == 0
    status, out, _ = check("second", "--shape", "3", "--second")
    assert status == 0
    assert out.startswith("gradgradcheck: passed")
    assert check("right", "--shape", "2,2", "--shape", "scalar", "--second")[0] == 2


def test_eps(check) -> None:
    status, out, _ = check("right", "--shape", "1,2", "--shape", "2,1", "--eps", "1e-5")
    assert status == 0
    assert "eps 1e-05" in out
    for wrong in ("-1", "inf", "small"):
        status, _, err = check("right", "--eps", wrong)
        assert status == 2
        assert f"--eps: {wrong!r} is not a positive number" in err


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("nope", (), "has no 'nope'; it has: right, wrong, kink, loss, coarse, broken, second"),
        ("five", (), ":five is no function or module but of type int"),
        ("Net", (), ":Net is a class; name an instance or a function: net = Net(...)"),
        ("right", (), ":right takes 'x', which has no default: give a --shape for each input"),
        ("right", ("--shape", "2"), "missing a required argument: 'y'; it takes x, y"),
        ("coarse", (), "error: input 0 is float32: differences of values keep only about half"),
        ("right", ("--shape", "3,x"), "'3,x' is not a shape: numbers with commas between"),
        ("right", ("--seed", "x"), "'x' is not a whole number from 0"),
        ("right", ("--what",), "unrecognized arguments: --what"),
        ("broken", ("--shape", "2"), "NameError: name 'undefined_name' is not defined"),
    ],
)
def test_mistakes(check, name: str, words: tuple[str, ...], text: str) -> None:
    status, out, err = check(name, *words)
    assert status == 2
    assert out == ""
    assert text in err
    assert err.count("Traceback") == (name == "broken")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("right", "'right' is not MODULE:FUNCTION, such as 'layers:my_norm'"),
        (":right", "':right' is not MODULE:FUNCTION"),
        ("no_such_module:f", "there is no module 'no_such_module' (looked in "),
        ("no_such.module:f", "there is no module 'no_such.module' (looked in "),
        ("./layers.py:f", "'./layers.py' is a file; name the module as import does: 'layers:f'"),
    ],
)
def test_specs_that_name_nothing(
    capsys: pytest.CaptureFixture[str], spec: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["gradcheck", spec]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {text}")


def test_module_that_cannot_be_imported(tmp_path: Path, monkeypatch, capsys) -> None:
    name = f"learner_{next(NUMBER)}"
    (tmp_path / f"{name}.py").write_text("import no_such_thing\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["gradcheck", f"{name}:f"]) == 2
    assert "No module named 'no_such_thing'" in capsys.readouterr().err


def test_as_a_user_runs_it(real) -> None:
    (real.cwd / "layers.py").write_text(CODE, encoding="utf-8")
    done = real.run("gradcheck", "layers:right", "--shape", "1,2", "--shape", "2,2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("gradcheck: passed")
    assert real.run("gradcheck", "layers:wrong", "--shape", "2").returncode == 1
